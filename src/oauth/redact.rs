//! Takes secrets out of what a server wrote, before a person or a log sees it.
//!
//! Must not know what the text means: it sees characters only.

use base64ct::{Base64UrlUnpadded, Encoding};

/// A run of this many characters shared with a secret is taken out. Shorter ones appear by chance.
const RUN: usize = 8;
/// A secret shorter than [`RUN`] is taken out where it stands whole, if it has at least this many characters.
const SHORTEST: usize = 4;
/// A run of so many characters that could be a token is taken out even if nobody knows it. A GUID has 36.
const TOKEN: usize = 40;
/// The longest text that comes out, in characters.
const LONGEST: usize = 300;
/// No more than this is looked at, in characters.
const READ: usize = 1_024;
const MARK: &str = "[redacted]";

/// The text as one line of at most 300 characters, without any run of 8 or more characters shared with a secret: as it
/// is, percent-encoded or in base64, in any case of letters. What looks like a token is taken out too.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let text: Vec<char> = text.chars().take(READ).collect();
    let folded: Vec<u8> = text.iter().copied().map(fold).collect();
    let mut hidden = shared(&folded, secrets);
    hide_token_like(&text, &mut hidden);
    shorten(&masked(&text, &hidden))
}

/// Does the text share a run of 8 or more characters with a secret?
pub fn leaks(text: &str, secrets: &[&str]) -> bool {
    let folded: Vec<u8> = text.chars().map(fold).collect();
    shared(&folded, secrets).contains(&true)
}

/// For each character of a folded text: is it part of a run that the text shares with a secret?
fn shared(text: &[u8], secrets: &[&str]) -> Vec<bool> {
    let mut hidden = vec![false; text.len()];
    for secret in secrets {
        for form in forms(secret) {
            hide(&form, text, &mut hidden);
        }
    }
    hidden
}

/// Marks the runs that the text shares with one form of a secret.
fn hide(form: &[u8], text: &[u8], hidden: &mut [bool]) {
    let run = form.len().min(RUN);
    if run < SHORTEST {
        return;
    }
    // A token may be long: of its windows, only those are searched for whose bucket the text has something in.
    let mut buckets = [false; 1 << BITS];
    for window in text.windows(run) {
        if let Some(taken) = buckets.get_mut(bucket(window)) {
            *taken = true;
        }
    }
    for window in form.windows(run).filter(|window| buckets.get(bucket(window)) == Some(&true)) {
        for (at, other) in text.windows(run).enumerate() {
            if other == window {
                mark(hidden, at, run);
            }
        }
    }
}

const BITS: usize = 12;

fn bucket(window: &[u8]) -> usize {
    window.iter().fold(0, |sum: usize, byte| (sum * 31 + usize::from(*byte)) % (1 << BITS))
}

fn mark(hidden: &mut [bool], from: usize, run: usize) {
    hidden.iter_mut().skip(from).take(run).for_each(|hidden| *hidden = true);
}

/// One byte for each character, the same for those that encodings exchange for one another: letters in both cases, both
/// alphabets of base64. Characters beyond ASCII share bytes: that hides too much rather than too little.
fn fold(letter: char) -> u8 {
    match letter {
        '-' => b'+',
        '_' => b'/',
        letter if letter.is_ascii() => (letter as u8).to_ascii_lowercase(),
        letter => 0x80 | (letter as u32 % 0x80) as u8,
    }
}

/// A secret in the forms in which a server may repeat it, folded.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let folded = |text: &str| text.chars().map(fold).collect::<Vec<u8>>();
    let mut forms = vec![folded(secret)];
    if secret.len() < RUN {
        return forms;
    }
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    if percent != secret {
        forms.push(folded(&percent));
        forms.push(folded(&percent.replace('+', "%20")));
    }
    // Base64 groups three bytes: the same secret has three pictures, depending on what stands before it. Either alphabet
    // will do, for both are folded into one.
    for before in 0..3 {
        let bytes = ["\0\0".get(..before).unwrap_or_default(), secret].concat();
        // The first characters also encode what stands before: what they are part of is found by chance only.
        forms.push(folded(&Base64UrlUnpadded::encode_string(bytes.as_bytes())));
    }
    forms
}

/// Marks long unbroken runs of the characters that tokens consist of: a server may repeat one that is unknown here. What begins
/// like a path is not one run: whoever is told of a file wants to know which.
fn hide_token_like(text: &[char], hidden: &mut [bool]) {
    let mut start = 0;
    for run in text.split(|letter| !(letter.is_ascii_alphanumeric() || "-_+/.~=%".contains(*letter))) {
        let is_path = run.first() == Some(&'/');
        let mut from = start;
        for part in run.split(|letter| is_path && *letter == '/') {
            if part.len() >= TOKEN {
                mark(hidden, from, part.len());
            }
            from += part.len() + 1;
        }
        start += run.len() + 1;
    }
}

/// The text with one mark in the place of each hidden run, and with single spaces.
fn masked(text: &[char], hidden: &[bool]) -> String {
    let mut masked = String::new();
    let mut inside = false;
    for (letter, hidden) in text.iter().zip(hidden) {
        let letter = if letter.is_control() { ' ' } else { *letter };
        if *hidden && !inside {
            masked.push_str(MARK);
        } else if !(*hidden || letter == ' ' && masked.ends_with(' ')) {
            masked.push(letter);
        }
        inside = *hidden;
    }
    masked
}

fn shorten(text: &str) -> String {
    let text = text.trim();
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.pop();
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::Base64Unpadded;

    const TOKEN: &str = "v1.MRrt-5e8a/f2+c9==Zq";

    #[test]
    fn a_secret_goes_whole_and_in_part() {
        assert_eq!(redact("bad token 'v1.MRrt-5e8a/f2+c9==Zq'!", &[TOKEN]), "bad token '[redacted]'!");
        assert_eq!(redact("token starts with v1.MRrt-5", &[TOKEN]), "token starts with [redacted]");
        assert_eq!(redact("token starts with v1.MRrt", &[TOKEN]), "token starts with v1.MRrt", "seven characters");
        assert_eq!(redact("upper V1.MRRT-5E8A", &[TOKEN]), "upper [redacted]");
        assert_eq!(redact("pass word: hush", &["hush"]), "pass word: [redacted]");
        assert_eq!(redact("a cat sat", &["a", "cat", ""]), "a cat sat", "too short to be a secret");
    }

    #[test]
    fn an_encoded_secret_goes_too() {
        let percent: String = form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect();
        assert_eq!(redact(&format!("got {percent}."), &[TOKEN]), "got [redacted].");
        for before in ["", "c", "id", "id:", "client"] {
            let basic = Base64Unpadded::encode_string(format!("{before}{TOKEN}").as_bytes());
            let shown = redact(&format!("Basic {basic}"), &[TOKEN]);
            assert!(shown.len() <= "Basic ".len() + 9 + MARK.len() + 4, "{shown}");
            assert!(shown.contains(MARK), "{shown}");
        }
    }

    #[test]
    fn a_short_secret_goes_in_its_encodings_too() {
        assert_eq!(redact("got a%26b%3Dc%26d%21, 8 characters", &["a&b=c&d!"]), "got [redacted], 8 characters");
        assert_eq!(redact("got YSZiPWMmZCE, 8 characters", &["a&b=c&d!"]), "got [redacted], 8 characters");
    }

    #[test]
    fn letters_beyond_ascii_are_told_apart() {
        assert_eq!(redact("üüüüüüüüüü", &["éééééééééé"]), "üüüüüüüüüü");
        assert_eq!(redact("éééééééééé", &["éééééééééé"]), "[redacted]");
        // U+0161 to U+0168 are not a to h.
        assert_eq!(redact("šŢţŤťŦŧŨ", &["abcdefgh"]), "šŢţŤťŦŧŨ");
    }

    #[test]
    fn both_alphabets_of_base64_are_one() {
        assert_eq!(redact("got fn5-Pz8_Pj4-YWI", &["~~~???>>>ab"]), "got [redacted]");
        assert_eq!(redact("got fn5+Pz8/Pj4+YWI", &["~~~???>>>ab"]), "got [redacted]");
    }

    #[test]
    fn a_token_nobody_knows_goes_and_a_guid_stays() {
        let unknown = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
        assert_eq!(redact(&format!("({unknown})"), &[]), "([redacted])");
        let trace = "Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(redact(trace, &[]), trace);
        let file = "`/home/ann/.config/a-tool/profiles/credentials.json` is not JSON";
        assert_eq!(redact(file, &[]), file, "it is to be repaired");
        assert_eq!(redact(&format!("/home/ann/{unknown}.json"), &[]), "/home/ann/[redacted]");
    }

    #[test]
    fn the_text_becomes_one_short_line() {
        assert_eq!(redact("AADSTS700082: expired.\r\nTrace", &[]), "AADSTS700082: expired. Trace");
        let long = redact(&"é ".repeat(5_000), &[]);
        assert_eq!(long.chars().count(), 300);
        assert!(long.ends_with('…'));
        assert_eq!(redact("", &[""]), "");
    }
}
