//! Real web servers, and a small application to stand behind a gateway.

pub mod doorward;
pub mod faulty_helper;
pub mod scripted;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Group, chown};

use crate::lab::{LIMIT, Process, clients, free_port, lab_path, realm, temp_dir, wait_until};

/// A running server; it ends when this is dropped.
pub struct Server {
    /// Where it listens, on loopback.
    pub port: u16,
    /// Its own directory: configuration, logs, files it serves.
    pub dir: PathBuf,
    /// The program and what it prints.
    pub process: Process,
    _dir: tempfile::TempDir,
    _more: Option<tempfile::TempDir>,
}

/// Apache httpd with mod_auth_gssapi, proxying and headers loaded. `site` is what
/// is in its virtual host; `{dir}` and `{port}` are replaced, `{keytab}` by a copy
/// of `keytab` that it can read. `{dir}/htdocs` is served.
#[track_caller]
pub fn apache(keytab: &Path, site: &str) -> Server {
    apache_as("www-data", &[], keytab, site)
}

/// The same under another account, and with more modules.
#[track_caller]
pub fn apache_as(account: &str, modules: &[&str], keytab: &Path, site: &str) -> Server {
    const MODULES: [&str; 14] = [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "auth_gssapi",
        "headers",
        "mime",
        "dir",
        "env",
        "setenvif",
        "session",
        "session_cookie",
        "proxy",
        "proxy_http",
    ];
    let load: String = MODULES
        .iter()
        .chain(modules)
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    let base = "ServerName localhost\nServerRoot {dir}\nPidFile {dir}/pid\nErrorLog {dir}/error.log\n\
         Listen 127.0.0.1:{port}\nUser {account}\nGroup {account}\nDefaultRuntimeDir {dir}\n\
         Mutex file:{dir} default\nTypesConfig /etc/mime.types\nDocumentRoot {dir}/htdocs\nLimitRequestFieldSize 65536\n\
         LimitRequestLine 65536\n<Directory {dir}/htdocs>\nRequire all granted\n</Directory>\n";
    let conf = format!("{load}{base}<VirtualHost *:{{port}}>\n{site}\n</VirtualHost>\n");
    let conf = conf.replace("{account}", account);
    start("apache2", &["-DFOREGROUND", "-f"], account, keytab, &conf)
}

/// nginx. `http` is what is in its `http` block; `{dir}`, `{port}` and `{keytab}`
/// are replaced.
#[track_caller]
pub fn nginx(http: &str) -> Server {
    nginx_with("", http)
}

/// nginx with its JavaScript module.
#[track_caller]
pub fn nginx_js(http: &str) -> Server {
    nginx_with("load_module /usr/lib/nginx/modules/ngx_http_js_module.so;\n", http)
}

fn nginx_with(main: &str, http: &str) -> Server {
    let conf = format!(
        "{main}daemon off;\nmaster_process off;\npid {{dir}}/pid;\nerror_log {{dir}}/error.log;\n\
         events {{}}\nhttp {{\naccess_log {{dir}}/access.log;\nclient_body_temp_path {{dir}}/body;\n\
         proxy_temp_path {{dir}}/proxy;\nfastcgi_temp_path {{dir}}/fastcgi;\n\
         uwsgi_temp_path {{dir}}/uwsgi;\nscgi_temp_path {{dir}}/scgi;\n\
         large_client_header_buffers 8 128k;\n{http}\n}}\n"
    );
    start("nginx", &["-c"], "www-data", &realm().web_keytab, &conf)
}

/// Caddy with this Caddyfile; `{port}` is replaced.
#[track_caller]
pub fn caddy(conf: &str) -> Server {
    let program = clients::venv_program("caddy");
    start(
        &program,
        &["run", "--adapter", "caddyfile", "--config"],
        "www-data",
        &realm().web_keytab,
        conf,
    )
}

/// Envoy with this configuration; `{port}` is replaced.
#[track_caller]
pub fn envoy(conf: &str) -> Server {
    let program = clients::venv_program("envoy");
    let options = ["--log-level", "warning", "--concurrency", "1", "--use-dynamic-base-id", "-c"];
    start(&program, &options, "www-data", &realm().web_keytab, conf)
}

/// Traefik with this dynamic configuration, on the entry point `web`.
#[track_caller]
pub fn traefik(conf: &str) -> Server {
    let dynamic = temp_dir("traefik-");
    let file = dynamic.path().join("dynamic.yaml");
    std::fs::write(&file, conf).unwrap();
    let main = format!(
        "entryPoints:\n  web:\n    address: 127.0.0.1:{{port}}\n\
         providers:\n  file:\n    filename: {}\nlog:\n  level: WARN\n\
         global:\n  checkNewVersion: false\n  sendAnonymousUsage: false\n",
        file.display()
    );
    let program = clients::venv_program("traefik");
    let mut server = start(&program, &["--configFile"], "www-data", &realm().web_keytab, &main);
    server._more = Some(dynamic);
    // It answers before it has read what it shall do.
    let question = format!("GET / HTTP/1.0\r\nHost: {}\r\n\r\n", realm().host("web"));
    wait_until(LIMIT, "Traefik's configuration", || {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).ok()?;
        stream.write_all(question.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (!answer.contains(" 404 ")).then_some(())
    });
    server
}

/// The application of `app.py`, which says what reached it.
#[track_caller]
pub fn app() -> Server {
    let dir = temp_dir("app-");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(lab_path("servers/app.py"));
    let mut process = Process::start("app.py", &mut command);
    let line = process.wait_for(|line| line.starts_with("listening "), LIMIT);
    let port = line["listening ".len()..].parse().unwrap();
    Server { port, dir: dir.path().to_owned(), process, _dir: dir, _more: None }
}

#[track_caller]
fn start(program: &str, options: &[&str], account: &str, keytab: &Path, conf: &str) -> Server {
    let name = program.rsplit('/').next().unwrap_or(program);
    let dir = temp_dir(&format!("{name}-"));
    let (path, port) = (dir.path(), free_port());
    std::fs::create_dir(path.join("htdocs")).unwrap();
    std::fs::write(path.join("htdocs/index.html"), "<p>Hello\n").unwrap();
    let own_keytab = path.join("http.keytab");
    std::fs::copy(keytab, &own_keytab).unwrap();
    let group = Group::from_name(account).unwrap().map(|group| group.gid);
    chown(&own_keytab, None, group).unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(&own_keytab, readable).unwrap();
    let text = conf
        .replace("{dir}", path.to_str().unwrap())
        .replace("{port}", &port.to_string())
        .replace("{keytab}", own_keytab.to_str().unwrap());
    let file = path.join("server.yaml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    // Some ask what was configured before in their user's home.
    command.env("HOME", path).env("XDG_DATA_HOME", path).env("XDG_CONFIG_HOME", path);
    command.args(options).arg(&file).env("KRB5_CONFIG", &realm().krb5_config_two_realms);
    let mut process = Process::start(program, &mut command);
    wait_until(LIMIT, &format!("{program} answering"), || {
        let log = || std::fs::read_to_string(path.join("error.log")).unwrap_or_default();
        assert!(process.ended().is_none(), "{program} ended: {:?} {}", process.lines(), log());
        // Apache opens its port before it has read all its configuration: only an answer
        // says that it is up.
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.write_all(b"OPTIONS / HTTP/1.0\r\n\r\n").ok()?;
        stream.read(&mut [0; 1]).ok().filter(|read| *read > 0)
    });
    Server { port, dir: path.to_owned(), process, _dir: dir, _more: None }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.join("error.log")).unwrap_or_default();
            eprintln!("the server printed {:?} and logged:\n{log}", self.process.lines());
        }
    }
}
