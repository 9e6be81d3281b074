//! Where an administrator looks, or is looked at: what each of these places says of a site.

use std::fmt;
use std::process::Command;

use serde_json::Value;

use super::row::Says;
use super::{Fault, Site};
use crate::lab::clients::try_curl_with;
use crate::lab::doorward::{field, program};
use crate::lab::http::Raw;
use crate::lab::{LIMIT, Process, wait_until};

/// The pieces of what a surface said. Words count when they stand in one of them.
#[derive(Default)]
pub(super) struct Heard(pub(super) Vec<String>);

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| writeln!(f, "    {piece}"))
    }
}

/// What each surface says, in the order of [`Fault::surfaces`]; nothing where it is not asked.
pub(super) fn listen(site: &Site, fault: &Fault) -> [Heard; 5] {
    let mut heard: [Heard; 5] = Default::default();
    if fault.check != Says::Apart {
        heard[0] = check(site);
    }
    let outside = [fault.probe, fault.page, fault.log, fault.ready];
    if outside.iter().any(|says| *says != Says::Apart) {
        let mut gateway = Started::new(site);
        if fault.probe != Says::Apart {
            heard[1] = gateway.probe(site);
        }
        if fault.page != Says::Apart || fault.log != Says::Apart {
            heard[2] = gateway.page(site);
        }
        if fault.ready != Says::Apart {
            heard[4] = gateway.ready();
        }
        heard[3] = gateway.log();
    }
    heard
}

/// Complaints of `doorward check`, a piece each.
fn check(site: &Site) -> Heard {
    let mut command = site.doorward("check");
    if let Some(ticket) = &site.ticket {
        command.env("KRB5CCNAME", &ticket.ccache);
    }
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let complaint = |line: &&str| line.starts_with("FAIL") || line.starts_with("warn");
    Heard(said.lines().filter(complaint).map(str::to_owned).collect())
}

/// `doorward serve`, which may not start.
struct Started {
    process: Process,
}

impl Started {
    fn new(site: &Site) -> Self {
        let mut process = Process::start("doorward serve", &mut site.doorward("serve"));
        wait_until(LIMIT, "ready, or the end", || {
            let ready =
                log_lines(&process).iter().any(|line| field(line, "event") == Some("ready"));
            (ready || process.ended().is_some()).then_some(())
        });
        let gateway = Self { process };
        if site.own_clock && gateway.port("status").is_some() {
            // It learns of it from the KDC, which it asks when it has started.
            wait_until(LIMIT, "the realm's time", || {
                gateway.ready().0[0].contains("\"clock\":").then_some(())
            });
        }
        gateway
    }

    /// The port of a listener.
    fn port(&self, what: &str) -> Option<u16> {
        let lines = log_lines(&self.process);
        let mut listening = lines.iter().filter(|line| {
            field(line, "event") == Some("listening") && field(line, "what") == Some(what)
        });
        listening.find_map(|line| field(line, "address")?.rsplit(':').next()?.parse().ok())
    }

    fn url(&self, site: &Site) -> Option<String> {
        Some(site.address(self.port("http")?, self.port("https").unwrap_or_default()))
    }

    fn probe(&self, site: &Site) -> Heard {
        let Some(url) = self.url(site) else { return Heard::default() };
        let mut command: Command = program();
        command.args(["probe", &url, "--negotiate"]);
        command.env("KRB5CCNAME", "FILE:/nonexistent/cache");
        if url.starts_with("https:") {
            command.arg("--insecure");
        }
        if let Some(ticket) = &site.ticket {
            command.envs(ticket.env());
        }
        command.envs(site.client().iter().map(|(name, value)| (name, value)));
        let said = command.output().unwrap();
        Heard(vec![String::from_utf8_lossy(&said.stdout).into_owned()])
    }

    fn page(&self, site: &Site) -> Heard {
        let Some(url) = self.url(site) else { return Heard::default() };
        let mut args = vec!["--insecure", "--header", "Accept: text/html,*/*;q=0.8", &url];
        args.extend(site.headers().iter().flat_map(|line| ["--header", line.as_str()]));
        Heard(match try_curl_with(site.ticket.as_ref(), site.client(), &args) {
            Ok(answer) => vec![readable(&answer.text())],
            Err(said) => vec![said],
        })
    }

    fn ready(&self) -> Heard {
        let Some(port) = self.port("status") else { return Heard::default() };
        let answer = Raw::connect(port).get("localhost", "/ready", &[("Connection", "close")]);
        Heard(vec![answer.text()])
    }

    fn log(&mut self) -> Heard {
        let lines = self.process.last_words();
        Heard(lines.iter().map(|line| spoken(line)).collect())
    }
}

fn log_lines(process: &Process) -> Vec<Value> {
    process.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A line of the log with its values as they read, without the quoting of JSON.
fn spoken(line: &str) -> String {
    fn gather(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.values().for_each(|value| gather(value, out)),
            Value::Array(values) => values.iter().for_each(|value| gather(value, out)),
            Value::String(text) => out.push(text.clone()),
            other => out.push(other.to_string()),
        }
    }
    let Ok(value) = serde_json::from_str(line) else { return line.to_owned() };
    let mut words = Vec::new();
    gather(&value, &mut words);
    words.join(" ")
}

/// The text of a page, without its tags.
fn readable(html: &str) -> String {
    let (before, style) = html.split_once("<style>").unwrap_or((html, ""));
    let after = style.split_once("</style>").map_or("", |(_, after)| after);
    let html = [before, after].concat();
    let mut text = String::new();
    let mut inside = false;
    for character in html.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            _ if inside => {}
            _ => text.push(character),
        }
    }
    let entities =
        [("&#39;", "'"), ("&#34;", "\""), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">")];
    let plain = entities.iter().fold(text, |text, (entity, plain)| text.replace(entity, plain));
    plain.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}
