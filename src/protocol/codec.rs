//! The text form of a record: JSON, members that say nothing left out.
//!
//! Written and read member by member, not derived: what a derived reader can say about a text that is wrong would be a
//! tenth of the module, and nobody would hear it.

use serde_json::{Map, Value};

use super::grants::Grants;
use super::record::{Intent, Record, SCHEMA, Spare, State, UNOPENED, Unreadable};
use super::tokens::{Extra, Grant, Millis, Secret};

/// A moment or a duration beyond what JavaScript counts exactly, 2^53 milliseconds, was never written by this package.
/// Below it no sum of them overflows.
const FURTHEST: u64 = 1 << 53;

impl Record {
    /// Reads the text form.
    pub fn decode(text: &str) -> Result<Self, Unreadable> {
        if text == UNOPENED {
            return Err(Unreadable::Unopened);
        }
        let mut members = Reader::of(serde_json::from_str(text).ok()).ok_or(Unreadable::Garbage)?;
        if members.count("v").is_some_and(|schema| schema > u64::from(SCHEMA)) {
            return Err(Unreadable::NewerSchema);
        }
        record(&mut members).ok_or(Unreadable::Garbage)
    }

    /// The text form.
    pub fn encode(&self) -> String {
        let mut members = Writer::default();
        members.count("v", self.v.into());
        members.text("state", Some(self.state.name()));
        members.text("sid", Some(&self.sid));
        members.count("generation", self.generation);
        members.secret("refreshToken", self.refresh_token.as_ref());
        members.grants("grants", &self.grants);
        members.text("sub", self.sub.as_deref());
        if let Some(spare) = &self.spare {
            let mut of_spare = Writer::default();
            of_spare.secret("refreshToken", spare.refresh_token.as_ref());
            of_spare.grants("grants", &spare.grants);
            members.object("spare", of_spare);
        }
        members.list("spent", self.spent.iter().map(String::as_str));
        if let Some(intent) = &self.intent {
            members.object("intent", of_intent(intent));
        }
        members.unless_zero("sends", self.sends);
        members.moment("retryAt", self.retry_at);
        members.unless_zero("failures", self.failures);
        members.list("revoke", self.revoke.iter().map(Secret::expose));
        members.text("reason", self.reason.as_deref());
        // Serialising cannot fail: all keys are strings, and no number is infinite.
        serde_json::to_string(&members.0).unwrap_or_default()
    }
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rejected => "rejected",
            Self::Out => "out",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Active, Self::Rejected, Self::Out].into_iter().find(|state| state.name() == name)
    }
}

fn record(members: &mut Reader) -> Option<Record> {
    Some(Record {
        v: members.count("v")?.try_into().ok()?,
        state: State::named(&members.text("state")??)?,
        sid: members.text("sid")??,
        generation: members.count("generation")?,
        refresh_token: members.secret("refreshToken")?,
        grants: members.grants("grants")?,
        sub: members.text("sub")?,
        spare: members.object("spare", spare)?,
        spent: members.list("spent")?,
        intent: members.object("intent", intent)?,
        sends: members.small("sends")?,
        retry_at: members.moment("retryAt")?,
        failures: members.small("failures")?,
        revoke: members.list("revoke")?.into_iter().map(Secret::new).collect(),
        reason: members.text("reason")?,
    })
}

fn spare(members: &mut Reader) -> Option<Spare> {
    Some(Spare { refresh_token: members.secret("refreshToken")?, grants: members.grants("grants")? })
}

fn intent(members: &mut Reader) -> Option<Intent> {
    Some(Intent {
        nonce: members.text("nonce")??,
        hash: members.text("hash")??,
        locked: members.take("locked")?.as_bool()?,
        deadline: members.moment("deadline")??,
        duration: members.moment("duration")??,
    })
}

fn of_intent(intent: &Intent) -> Writer {
    let mut members = Writer::default();
    members.text("nonce", Some(&intent.nonce));
    members.text("hash", Some(&intent.hash));
    members.set("locked", Value::Bool(intent.locked));
    members.moment("deadline", Some(intent.deadline));
    members.moment("duration", Some(intent.duration));
    members
}

fn grant(members: &mut Reader) -> Option<Grant> {
    Some(Grant {
        access_token: members.secret("accessToken")?,
        expires_at: members.moment("expiresAt")??,
        issued_at: members.moment("issuedAt")??,
        minted: members.count("minted")?,
        token_type: members.text("tokenType")?,
        scope: members.text("scope")?,
        id_token: members.secret("idToken")?,
        extra: members.members("extra")?,
    })
}

fn of_grant(grant: &Grant) -> Writer {
    let mut members = Writer::default();
    members.secret("accessToken", grant.access_token.as_ref());
    members.moment("expiresAt", Some(grant.expires_at));
    members.moment("issuedAt", Some(grant.issued_at));
    members.count("minted", grant.minted);
    members.text("tokenType", grant.token_type.as_deref());
    members.text("scope", grant.scope.as_deref());
    members.secret("idToken", grant.id_token.as_ref());
    if !grant.extra.is_empty() {
        members.set("extra", Value::Object(grant.extra.clone()));
    }
    members
}

/// Takes the members of an object, one by one. `None` from any of these means that the member is wrong; absent and
/// `null` are the same, and right where the answer is an option or has an empty value.
struct Reader(Map<String, Value>);

impl Reader {
    fn of(object: Option<Value>) -> Option<Self> {
        match object? {
            Value::Object(members) => Some(Self(members)),
            _ => None,
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.get_mut(name).map(Value::take)
    }

    fn text(&mut self, name: &str) -> Option<Option<String>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => None,
        }
    }

    fn secret(&mut self, name: &str) -> Option<Option<Secret>> {
        self.text(name).map(|text| text.map(Secret::new))
    }

    /// Never absent.
    fn count(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    fn small(&self, name: &str) -> Option<u8> {
        self.0.get(name).map_or(Some(0), |count| count.as_u64()?.try_into().ok())
    }

    fn moment(&self, name: &str) -> Option<Option<Millis>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(moment) => moment.as_i64().filter(|moment| moment.unsigned_abs() <= FURTHEST).map(Some),
        }
    }

    fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let text = |item| if let Value::String(text) = item { Some(text) } else { None };
        match self.take(name) {
            None => Some(Vec::new()),
            Some(Value::Array(items)) => items.into_iter().map(text).collect(),
            Some(_) => None,
        }
    }

    fn members(&mut self, name: &str) -> Option<Extra> {
        match self.take(name) {
            None => Some(Extra::new()),
            Some(Value::Object(members)) => Some(members),
            Some(_) => None,
        }
    }

    fn grants(&mut self, name: &str) -> Option<Grants> {
        let mut grants = Grants::default();
        for (key, value) in self.members(name)? {
            grants.insert(key, grant(&mut Self::of(Some(value))?)?);
        }
        Some(grants)
    }

    fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            object => read(&mut Self::of(object)?).map(Some),
        }
    }
}

/// Collects the members of an object. Nothing is written for what is absent.
#[derive(Default)]
struct Writer(Map<String, Value>);

impl Writer {
    fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.set(name, Value::String(text.to_owned()));
        }
    }

    fn secret(&mut self, name: &str, secret: Option<&Secret>) {
        self.text(name, secret.map(Secret::expose));
    }

    fn count(&mut self, name: &str, count: u64) {
        self.set(name, Value::Number(count.into()));
    }

    fn unless_zero(&mut self, name: &str, count: u8) {
        if count != 0 {
            self.count(name, count.into());
        }
    }

    fn moment(&mut self, name: &str, moment: Option<Millis>) {
        if let Some(moment) = moment {
            self.set(name, Value::Number(moment.into()));
        }
    }

    fn list<'a>(&mut self, name: &str, items: impl Iterator<Item = &'a str>) {
        let items: Vec<Value> = items.map(|item| Value::String(item.to_owned())).collect();
        if !items.is_empty() {
            self.set(name, Value::Array(items));
        }
    }

    fn object(&mut self, name: &str, members: Writer) {
        self.set(name, Value::Object(members.0));
    }

    fn grants(&mut self, name: &str, grants: &Grants) {
        let mut members = Writer::default();
        for (key, grant) in grants.iter() {
            members.object(key, of_grant(grant));
        }
        if !members.0.is_empty() {
            self.object(name, members);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Record {
        let mut record = Record::begun("s".into(), Some(Secret::new("R1")));
        let mut extra = Extra::new();
        extra.insert("n".into(), serde_json::json!({ "half": 0.5, "list": [1, -1, null, true] }));
        let grant = Grant {
            access_token: Some(Secret::new("A1")),
            expires_at: 1_795_000_000_000,
            issued_at: -1,
            minted: 3,
            token_type: Some("Bearer".into()),
            scope: Some("a b".into()),
            id_token: Some(Secret::new("I1")),
            extra,
        };
        record.generation = u64::MAX;
        record.grants.insert("k".into(), grant.clone());
        record.grants.insert(String::new(), Grant { access_token: None, extra: Extra::new(), ..grant.clone() });
        record.sub = Some("ann".into());
        let mut grants = Grants::default();
        grants.insert(String::new(), grant);
        record.spare = Some(Spare { refresh_token: Some(Secret::new("R1b")), grants });
        record.intent =
            Some(Intent { nonce: "n".into(), hash: record.live_hash(), locked: true, deadline: 9, duration: 4 });
        record.sends = 2;
        record.retry_at = Some(7);
        record.failures = 6;
        record.queue(Some(&Secret::new("R0\"\\\u{1f600}")));
        record.remember_spent();
        record.reason = Some("idle".into());
        record
    }

    #[test]
    fn a_record_survives_its_text_form() {
        for record in [full(), Record::begun("s".into(), None), Record::tombstone(String::new())] {
            assert_eq!(Record::decode(&record.encode()), Ok(record));
        }
        let spare = Some(Spare { refresh_token: None, grants: Grants::default() });
        let record = Record { spare, ..full() };
        assert_eq!(Record::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn members_that_say_nothing_are_left_out() {
        let text = r#"{"generation":0,"sid":"s","state":"active","v":1}"#;
        assert_eq!(Record::begun("s".into(), None).encode(), text);
        let nulls = r#"{"generation":0,"sid":"s","state":"active","v":1,"refreshToken":null,"intent":null,"new":{}}"#;
        assert_eq!(Record::decode(nulls), Ok(Record::begun("s".into(), None)));
    }

    #[test]
    fn a_newer_schema_is_told_from_garbage() {
        assert_eq!(Record::decode(r#"{"v":2,"state":"dreaming"}"#), Err(Unreadable::NewerSchema));
        for garbage in ["", "null", "[]", "{", r#"{"v":1}"#, r#"{"v":"1"}"#, r#"{"v":-1}"#, "<html>"] {
            assert_eq!(Record::decode(garbage), Err(Unreadable::Garbage), "{garbage}");
        }
        assert_eq!(Record::decode(UNOPENED), Err(Unreadable::Unopened));
        for garbage in ["unopened ", "\"unopened\""] {
            assert_eq!(Record::decode(garbage), Err(Unreadable::Garbage), "{garbage}");
        }
    }

    #[test]
    fn a_member_of_the_wrong_type_is_garbage() {
        let Ok(Value::Object(members)) = serde_json::from_str(&full().encode()) else { panic!("no object") };
        for name in members.keys() {
            let mut wrong = members.clone();
            wrong.insert(name.clone(), Value::Bool(true));
            assert_eq!(Record::decode(&Value::Object(wrong).to_string()), Err(Unreadable::Garbage), "{name}");
        }
        for (name, member) in [("intent", "deadline"), ("intent", "locked"), ("spare", "refreshToken")] {
            let mut wrong = members.clone();
            wrong[name][member] = Value::Array(Vec::new());
            assert_eq!(Record::decode(&Value::Object(wrong).to_string()), Err(Unreadable::Garbage), "{name}.{member}");
        }
        for (name, member) in [("intent", "deadline"), ("intent", "duration"), ("grants", "k")] {
            for number in [i64::MAX, i64::MIN, 1 + (1 << 53)] {
                let mut wrong = members.clone();
                let place = &mut wrong[name][member];
                *(if name == "grants" { &mut place["expiresAt"] } else { place }) = number.into();
                let text = Value::Object(wrong).to_string();
                assert_eq!(Record::decode(&text), Err(Unreadable::Garbage), "{name}.{member}: {number}");
            }
        }
        for member in ["accessToken", "expiresAt", "issuedAt", "minted", "tokenType", "scope", "idToken", "extra"] {
            let mut wrong = members.clone();
            wrong["grants"]["k"][member] = Value::Bool(true);
            assert_eq!(Record::decode(&Value::Object(wrong).to_string()), Err(Unreadable::Garbage), "{member}");
        }
    }
}
