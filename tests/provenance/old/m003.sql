PRAGMA application_id = 1211183667;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'hst123r','m001_what_was_asked','2026-11-26 22:16:38.024730+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'hst123r','m002_what_the_bytes_are','2026-11-26 22:16:38.064868+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'hst123r','m003_what_was_done','2026-11-26 22:16:38.121321+00:00');
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
CREATE TABLE "job" (
   "id" INTEGER PRIMARY KEY,
   "run_id" INTEGER NOT NULL REFERENCES "run"("id"),
   "stage" TEXT NOT NULL,
   "handler" TEXT NOT NULL,
   "label" TEXT NOT NULL,
   "labels" TEXT NOT NULL,
   "version" INTEGER NOT NULL,
   "key" TEXT,
   "state" TEXT NOT NULL,
   "quality" TEXT,
   "reasons" TEXT NOT NULL,
   "started" TEXT,
   "ended" TEXT,
   "cpu_seconds" REAL,
   "peak_memory_mb" REAL,
   "log" TEXT,
   "error_kind" TEXT,
   "error" TEXT,
   "exit_code" INTEGER,
   "handler_digest" TEXT,
   "forgotten" INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE "job_input" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "kind" TEXT NOT NULL,
   "position" INTEGER NOT NULL,
   "name" TEXT NOT NULL,
   "role" TEXT NOT NULL,
   "path" TEXT,
   "content_id" INTEGER REFERENCES "content"("id"),
   "identity" TEXT NOT NULL
) STRICT;
CREATE TABLE "job_param" (
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "kind" TEXT NOT NULL,
   "name" TEXT NOT NULL,
   "value" TEXT NOT NULL,
   "origin" TEXT NOT NULL,
   PRIMARY KEY ("job_id", "kind", "name")
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
CREATE TABLE "product" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "position" INTEGER NOT NULL,
   "kind" TEXT NOT NULL,
   "name" TEXT NOT NULL,
   "labels" TEXT NOT NULL,
   "facts" TEXT NOT NULL,
   "quality" TEXT NOT NULL
) STRICT;
CREATE TABLE "product_file" (
   "id" INTEGER PRIMARY KEY,
   "product_id" INTEGER NOT NULL REFERENCES "product"("id"),
   "role" TEXT NOT NULL,
   "path" TEXT NOT NULL,
   "content_id" INTEGER NOT NULL REFERENCES "content"("id"),
   "owned" INTEGER NOT NULL
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
CREATE INDEX "idx_job_stage_label_id"
    ON "job" ("stage", "label", "id");
CREATE INDEX "idx_job_run_id"
    ON "job" ("run_id");
CREATE INDEX "idx_job_input_job_id"
    ON "job_input" ("job_id");
CREATE INDEX "idx_job_input_content_id"
    ON "job_input" ("content_id");
CREATE INDEX "idx_product_job_id"
    ON "product" ("job_id");
CREATE INDEX "idx_product_file_product_id"
    ON "product_file" ("product_id");
CREATE INDEX "idx_product_file_path"
    ON "product_file" ("path");
CREATE INDEX "idx_product_file_content_id"
    ON "product_file" ("content_id");
COMMIT;
