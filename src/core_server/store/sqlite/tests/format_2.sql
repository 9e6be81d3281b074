-- The database of Doorward 0.1.0, with what it wrote, as `sqlite3 sessions.sqlite .dump` shows it.
BEGIN TRANSACTION;
CREATE TABLE sessions (
    serial INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    user INTEGER NOT NULL,
    mechanism TEXT NOT NULL,
    principal TEXT NOT NULL,
    channel_bound INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    only_from TEXT,
    last_used INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    impersonator TEXT,
    client TEXT,
    public_key TEXT
) STRICT;
INSERT INTO "sessions" VALUES(0,X'DB8CA71EF9ECB25D5C7FA1EBF8B206C9CD9C74CC5F6D5735CA8DEEFD88F9EB3A',0,'trusted','john',0,1795813737,1795849737,NULL,1795813738,1,'uid 0',NULL,'192.0.2.7',NULL);
INSERT INTO "sessions" VALUES(1,X'30616CF764BACF5E4D6F4A24D00A807BB6E3153DF34C583CA973374A21B662DA',1,'negotiate','mary@EXAMPLE.TEST',1,1795813737,1795849737,NULL,1795813737,0,'uid 0',NULL,NULL,NULL);
INSERT INTO "sessions" VALUES(2,X'D74B39414BA307E1EE0390E49E9D457E2F6D5B8ED6EE05F965BA1337BC91E541',2,'trusted','root',0,1795813737,1795849737,NULL,1795813737,0,'uid 0','root',NULL,NULL);
CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "users" VALUES(0,'{"login":"john","name":"","email":"","company":"","groups":[],"admin":0}');
INSERT INTO "users" VALUES(1,'{"login":"mary","name":"","email":"","company":"","groups":["S-1-5-21-1-2-3-513","S-1-5-32-544"],"admin":0}');
INSERT INTO "users" VALUES(2,'{"login":"bob","name":"","email":"","company":"","groups":[],"admin":0}');
COMMIT;
PRAGMA user_version = 2;
