//! The arrows of the house run one way: `bindings -> host -> options -> protocol, oauth`, and `oauth` takes only words
//! from `protocol`. The compiler checks half of it, since a native build has neither `host` nor a JavaScript crate; this
//! checks that there is such a build, and the half that compiles on every target.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const JAVASCRIPT_CRATES: [&str; 6] =
    ["wasm-bindgen", "wasm-bindgen-futures", "js-sys", "web-sys", "gloo-net", "serde-wasm-bindgen"];

/// What `oauth` may name of `protocol`: the types of a verdict and what they are made of, never a decision.
const WORDS: [&str; 3] = ["ports", "tokens", "verdict"];

#[test]
fn the_native_build_has_no_javascript_crate() {
    let native = dependencies(&[]);
    let wasm = dependencies(&["--target", "wasm32-unknown-unknown"]);
    for name in JAVASCRIPT_CRATES {
        assert!(!native.contains(name), "{name} is a dependency of the native build");
        assert!(wasm.contains(name), "{name} is no dependency of the wasm build: is this list out of date?");
    }
}

#[test]
fn protocol_names_no_other_part() {
    for (file, name) in names_used_in("protocol") {
        let part = name.first().map(String::as_str);
        assert!(
            !matches!(part, Some("oauth" | "options" | "host" | "bindings")),
            "{} names {}",
            file.display(),
            name.join("::")
        );
    }
}

#[test]
fn oauth_names_only_words_of_protocol() {
    for (file, name) in names_used_in("oauth") {
        let name: Vec<&str> = name.iter().map(String::as_str).collect();
        let allowed = match name[..] {
            ["options" | "host" | "bindings", ..] => false,
            ["protocol", word, ..] => WORDS.contains(&word),
            ["protocol"] => false,
            _ => true,
        };
        assert!(allowed, "{} names {}", file.display(), name.join("::"));
    }
}

#[test]
fn options_name_neither_the_host_nor_the_bindings() {
    for (file, name) in names_used_in("options") {
        let part = name.first().map(String::as_str);
        assert!(!matches!(part, Some("host" | "bindings")), "{} names {}", file.display(), name.join("::"));
    }
}

#[test]
fn host_does_not_name_the_bindings() {
    for (file, name) in names_used_in("host") {
        assert!(name.first().is_none_or(|part| part != "bindings"), "{} names {}", file.display(), name.join("::"));
    }
}

#[test]
fn names_are_found_however_they_are_written() {
    let found = names(
        "// crate::host::comment\nuse crate::{host::{a, b as c}, oauth};\nfn f() { super::super::host::g(\"crate::text\") }",
        &["protocol", "x"],
    );
    let found: Vec<String> = found.iter().map(|name| name.join("::")).collect();
    assert_eq!(found, ["host::a", "host::b", "oauth", "host::g"]);
}

/// The names of all packages in the tree of normal dependencies.
fn dependencies(target: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "refresh-coordinator", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(target)
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect()
}

/// Every path that the files of one part of the crate spell out, from the root of the crate.
fn names_used_in(part: &str) -> Vec<(PathBuf, Vec<String>)> {
    let source = root().join("src");
    let mut files = Vec::new();
    collect(&source.join(part), &mut files);
    assert!(!files.is_empty(), "src/{part} has no files");
    let mut used = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let place = file.strip_prefix(&source).expect("below src").with_extension("");
        let mut module: Vec<&str> = place.iter().filter_map(|part| part.to_str()).collect();
        if module.last() == Some(&"mod") {
            module.pop();
        }
        used.extend(names(&text, &module).into_iter().map(|name| (file.clone(), name)));
    }
    used
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of src") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The paths in `text`, the source of `module`, that begin with `crate` or `super`.
fn names(text: &str, module: &[&str]) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let supers = tokens[at..].iter().step_by(2).take_while(|token| *token == "super").count();
        let base = match tokens[at].as_str() {
            "crate" => Some(&module[..0]),
            "super" => Some(&module[..module.len().saturating_sub(supers)]),
            _ => None,
        };
        at += if supers > 0 { 2 * supers - 1 } else { 1 };
        if let Some(base) = base {
            let base: Vec<String> = base.iter().map(|name| name.to_string()).collect();
            at = branches(&tokens, at, base, &mut found);
        }
    }
    found
}

/// Follows a path that stands at `base` and goes on at `at`; returns where it ends.
fn branches(tokens: &[String], mut at: usize, mut base: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    while tokens.get(at).is_some_and(|token| token == "::") {
        at += 1;
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    let mut branch = base.clone();
                    branch.push(tokens[at].clone());
                    at = branches(tokens, at + 1, branch, found);
                    while tokens.get(at).is_some_and(|token| token != "," && token != "}") {
                        at += 1;
                    }
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            Some(name) => base.push(name.into()),
            None => break,
        }
        at += 1;
    }
    found.push(base);
    at
}

/// Names, `::` and single signs; no comments, no text in quotes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
        let code: String = line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
        let mut rest = code.split("//").next().unwrap_or_default();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            let (token, after) = rest.split_at(length);
            if !token.trim().is_empty() {
                tokens.push(token.into());
            }
            rest = after;
        }
    }
    tokens
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
