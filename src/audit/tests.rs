use super::*;
use std::fs;
use std::path::Path;

use serde_json::Value;

fn open(path: &Path, required: bool) -> Audit {
    Audit::open(AuditTarget::File(path.to_owned()), required).unwrap()
}

fn granted() -> Line<'static> {
    Line::new(Happening::SignOn, Verdict::Granted)
}

#[test]
fn what_was_handed_over_is_written_before_the_audit_log_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let audit = open(&path, false);
    for _ in 0..100 {
        audit.write(&granted());
    }
    drop(audit);
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 100);
    assert!(text.lines().all(|line| line.contains(r#""event":"sign_on","outcome":"granted""#)));
}

#[test]
fn after_a_rotation_lines_go_to_the_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let audit = open(&path, false);
    audit.write(&granted());
    fs::rename(&path, folder.path().join("audit.1")).unwrap();
    audit.reopen().unwrap();
    audit.write(&Line::new(Happening::SessionEnd, Verdict::Granted));
    drop(audit);
    let lines = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(lines("audit.1").contains("sign_on"));
    assert!(lines("audit").contains("session_end"));
}

#[test]
fn a_half_line_of_before_stays_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    fs::write(&path, "{\"event\":\"sign").unwrap();
    let audit = open(&path, false);
    audit.write(&granted());
    drop(audit);
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(serde_json::from_str::<Value>(text.lines().nth(1).unwrap()).is_ok());
}

#[test]
fn what_strangers_write_has_a_length_and_nothing_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let (long, odd) = ("\u{1}".repeat(100_000), "a\u{202e}\u{7f}b");
    let audit = open(&path, false);
    audit.write(&Line {
        detail: Some(&long),
        principal: Some(&long),
        login: Some(odd),
        site: Some(&long),
        ..granted()
    });
    drop(audit);
    let text = fs::read_to_string(path).unwrap();
    assert!(text.len() < 20_000, "{}", text.len());
    assert!(text.contains(r"a\u202e\u007fb"), "a reader sees it");
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["login"], odd, "a parser gets it exactly");
    assert!(line["site"].as_str().unwrap().ends_with("[cut: 100000 bytes]"));
}

/// /dev/full takes nothing, and says that there is no room.
#[tokio::test]
async fn a_line_that_is_required_and_not_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let audit = open(Path::new("/dev/full"), true);
    assert!(!audit.hand_over(&granted()).written_as_required().await);
    assert!(audit.forbids_sign_ons());
    assert!(audit.ready().unwrap_err().contains("No space left"));
    audit.write(&granted());
    // Room is back.
    audit.order(Order::Reopened(Output::open(&AuditTarget::File(path.clone())).unwrap()));
    assert!(audit.hand_over(&granted()).written_as_required().await);
    assert!(audit.ready().is_ok() && !audit.forbids_sign_ons());
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!((&lines[0]["event"], &lines[0]["lost"]), (&"lines_lost".into(), &2.into()));
    assert_eq!(lines[1]["event"], "sign_on");

    let audit = open(Path::new("/dev/full"), false);
    assert!(audit.hand_over(&granted()).written_as_required().await, "nobody asked for it");
    assert!(!audit.forbids_sign_ons());
}
