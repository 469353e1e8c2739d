PRAGMA application_id = 1211183667;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'hst123r','m001_what_was_asked','2026-11-26 22:16:34.693237+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'hst123r','m002_what_the_bytes_are','2026-11-26 22:16:34.717371+00:00');
CREATE TABLE "content" (
   "id" INTEGER PRIMARY KEY,
   "digest" TEXT NOT NULL,
   "size" INTEGER NOT NULL,
   "kind" TEXT NOT NULL,
   "facets" TEXT NOT NULL,
   "sha256" TEXT
) STRICT;
CREATE TABLE "environment" (
   "id" INTEGER PRIMARY KEY,
   "digest" TEXT NOT NULL,
   "python" TEXT NOT NULL,
   "platform" TEXT NOT NULL,
   "packages" TEXT NOT NULL,
   "crds_context" TEXT
) STRICT;
INSERT INTO "environment" VALUES(1,'blake3:e','3.11.7','Linux','{"drizzlepac":"3.9.0"}',NULL);
CREATE TABLE "header" (
   "id" INTEGER PRIMARY KEY,
   "content_id" INTEGER NOT NULL REFERENCES "content"("id"),
   "hdu" INTEGER NOT NULL,
   "name" TEXT NOT NULL,
   "version" INTEGER NOT NULL,
   "cards" TEXT NOT NULL
) STRICT;
CREATE TABLE "path_state" (
   "path" TEXT PRIMARY KEY,
   "device" INTEGER NOT NULL,
   "inode" INTEGER NOT NULL,
   "size" INTEGER NOT NULL,
   "mtime_ns" INTEGER NOT NULL,
   "ctime_ns" INTEGER NOT NULL,
   "content_id" INTEGER NOT NULL REFERENCES "content"("id"),
   "checked" TEXT NOT NULL
) STRICT;
CREATE TABLE "recipe" (
   "id" INTEGER PRIMARY KEY,
   "digest" TEXT NOT NULL,
   "name" TEXT NOT NULL,
   "path" TEXT,
   "text" TEXT NOT NULL,
   "canonical" TEXT NOT NULL,
   "first_seen" TEXT NOT NULL
) STRICT;
INSERT INTO "recipe" VALUES(1,'blake3:r','old','old.yaml','hst123r: 1
','{"head":{"targets":[{"name":"T"}]}}','2025-11-01T00:00:00.000Z');
CREATE TABLE "run" (
   "id" INTEGER PRIMARY KEY,
   "uid" TEXT NOT NULL,
   "recipe_id" INTEGER NOT NULL REFERENCES "recipe"("id"),
   "environment_id" INTEGER NOT NULL REFERENCES "environment"("id"),
   "command" TEXT NOT NULL,
   "folder" TEXT,
   "user" TEXT,
   "host" TEXT,
   "pid" INTEGER,
   "started" TEXT NOT NULL,
   "ended" TEXT,
   "state" TEXT NOT NULL,
   "exit_code" INTEGER,
   "options" TEXT,
   "parameters" TEXT,
   "jobs_run" INTEGER,
   "jobs_reused" INTEGER
) STRICT;
INSERT INTO "run" VALUES(1,'20251101T000000Z-000000',1,1,'["hst123r","run","old.yaml"]','/work','ann','laptop',1,'2025-11-01T00:00:00.000Z',NULL,'interrupted',NULL,'{}','[]',NULL,NULL);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE UNIQUE INDEX "idx_recipe_digest"
    ON "recipe" ("digest");
CREATE UNIQUE INDEX "idx_environment_digest"
    ON "environment" ("digest");
CREATE UNIQUE INDEX "idx_content_digest"
    ON "content" ("digest");
CREATE INDEX "idx_header_content_id"
    ON "header" ("content_id");
CREATE VIEW "header_card" AS 
        select h.content_id, h.hdu, h.name, h.version,
               json_extract(c.value, '$[0]') as keyword,
               json_extract(c.value, '$[1]') as value,
               json_extract(c.value, '$[2]') as comment
        from header h, json_each(h.cards) c;
COMMIT;
