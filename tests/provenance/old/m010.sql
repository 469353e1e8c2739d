PRAGMA application_id = 1211183667;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'hst123r','m001_what_was_asked','2026-11-27 07:46:45.870925+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'hst123r','m002_what_the_bytes_are','2026-11-27 07:46:45.872357+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'hst123r','m003_what_was_done','2026-11-27 07:46:45.899799+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'hst123r','m004_what_is_known_of_it','2026-11-27 07:46:45.920724+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'hst123r','m005_what_a_run_did_not_run','2026-11-27 07:46:45.942516+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'hst123r','m006_what_is_tried_again','2026-11-27 07:46:45.943087+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'hst123r','m007_errors_limits_and_systems','2026-11-27 07:46:45.966728+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'hst123r','m008_what_is_asked','2026-11-27 07:46:45.967597+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'hst123r','m009_locks','2026-11-27 07:46:46.016510+00:00');
INSERT INTO "_sqlite_migrations" VALUES(10,'hst123r','m010_systematic_errors','2026-11-27 07:46:46.034168+00:00');
CREATE TABLE "caveat" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "code" TEXT NOT NULL,
   "text" TEXT NOT NULL,
   "subject" TEXT NOT NULL
) STRICT;
INSERT INTO "caveat" VALUES(1,2,'few','few stars match','');
CREATE TABLE "content" (
   "id" INTEGER PRIMARY KEY,
   "digest" TEXT NOT NULL,
   "size" INTEGER NOT NULL,
   "kind" TEXT NOT NULL,
   "facets" TEXT NOT NULL,
   "sha256" TEXT
) STRICT;
INSERT INTO "content" VALUES(1,'blake3:aaaaaaaa',10,'fits','{"pixels": "blake3:a"}',NULL);
INSERT INTO "content" VALUES(2,'blake3:bbbbbbbb',10,'fits','{"pixels": "blake3:b"}',NULL);
CREATE TABLE "download" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "uri" TEXT NOT NULL,
   "path" TEXT,
   "size" INTEGER,
   "sha256" TEXT,
   "status" TEXT NOT NULL,
   "retrieved" TEXT
) STRICT;
CREATE TABLE "environment" (
   "id" INTEGER PRIMARY KEY,
   "digest" TEXT NOT NULL,
   "python" TEXT NOT NULL,
   "platform" TEXT NOT NULL,
   "packages" TEXT NOT NULL,
   "crds_context" TEXT
) STRICT;
INSERT INTO "environment" VALUES(1,'blake3:cddc22e045fc8c0079767e62199298f29ae585763dc3f11da464cf1cfe12e20a','3.11.7','Linux','{"drizzlepac": "3.9.0"}',NULL);
CREATE TABLE "event" (
   "id" INTEGER PRIMARY KEY,
   "run_id" INTEGER NOT NULL REFERENCES "run"("id"),
   "job_id" INTEGER,
   "time" TEXT NOT NULL,
   "level" TEXT NOT NULL,
   "code" TEXT NOT NULL,
   "message" TEXT NOT NULL
) STRICT;
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
, "incomplete" TEXT) STRICT;
INSERT INTO "job" VALUES(1,1,'fetch','fetch','ja','{"exposure": "ja"}',1,'blake3:key1','done','good','[["no-record", "no record of it"]]','2026-11-27T07:46:46.036Z','2026-11-27T07:46:46.057Z',1.0,50.0,'logs/x.log',NULL,NULL,NULL,'blake3:0',0,NULL);
INSERT INTO "job" VALUES(2,1,'scrape','scrape','T','{"target": "T", "field": "T"}',1,'blake3:key2','done','caveat','[["no-record", "no record of it"]]','2026-11-27T07:46:46.057Z','2026-11-27T07:46:46.058Z',1.0,50.0,'logs/x.log',NULL,NULL,NULL,'blake3:0',0,NULL);
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
INSERT INTO "job_input" VALUES(1,2,'file',0,'ja','science','raw/ja_flc.fits',1,'{"pixels": "blake3:a"}');
CREATE TABLE "job_param" (
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "kind" TEXT NOT NULL,
   "name" TEXT NOT NULL,
   "value" TEXT NOT NULL,
   "origin" TEXT NOT NULL,
   PRIMARY KEY ("job_id", "kind", "name")
) STRICT;
INSERT INTO "job_param" VALUES(1,'param','pixfrac','0.8','stage default');
INSERT INTO "job_param" VALUES(2,'param','pixfrac','0.8','stage default');
CREATE TABLE "lease" (
   "resource" TEXT PRIMARY KEY,
   "host" TEXT NOT NULL,
   "pid" INTEGER NOT NULL,
   "user" TEXT NOT NULL,
   "started" TEXT NOT NULL,
   "command" TEXT NOT NULL
) STRICT;
CREATE TABLE "lock" (
   "id" INTEGER PRIMARY KEY,
   "digest" TEXT NOT NULL,
   "text" TEXT NOT NULL,
   "first_seen" TEXT NOT NULL
) STRICT;
INSERT INTO "lock" VALUES(1,'blake3:6367bf0efbd716e01f4387b32ed4fab2a0fe3844702f687aabf1041ff67d3797','format: 1
','2026-11-27T07:46:46.059Z');
CREATE TABLE "measurement" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "name" TEXT NOT NULL,
   "value" REAL,
   "unit" TEXT NOT NULL,
   "low" REAL,
   "high" REAL,
   "quality" TEXT NOT NULL,
   "subject" TEXT NOT NULL
) STRICT;
INSERT INTO "measurement" VALUES(1,2,'rms',3.0,'mas',NULL,5.0,'good','');
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
CREATE TABLE "photometry" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "target" TEXT NOT NULL,
   "source" TEXT,
   "level" TEXT NOT NULL,
   "detector" TEXT,
   "filter" TEXT,
   "epoch" TEXT,
   "visit" TEXT,
   "exposure" TEXT,
   "mjd" REAL,
   "exposure_time_s" REAL,
   "n_exposures" INTEGER,
   "flux_njy" REAL,
   "flux_err_njy" REAL,
   "snr" REAL,
   "mag_ab" REAL,
   "mag_err" REAL,
   "limit_ab" REAL,
   "limit_sigma" REAL,
   "flags" INTEGER,
   "caveats" TEXT
, "flux_err_weights_njy" REAL, "flux_err_scatter_njy" REAL, "chi2" REAL, "limit_method" TEXT, "mag_st" REAL, "limit_st" REAL, "mag_vega" REAL, "limit_vega" REAL, "extinction_mag" REAL, "flux_corrected_njy" REAL, "mag_sys" REAL, "flux_err_fixed_njy" REAL) STRICT;
INSERT INTO "photometry" VALUES(1,2,'T',NULL,'filter',NULL,'F606W',NULL,NULL,NULL,NULL,NULL,NULL,10.0,1.0,NULL,28.9,NULL,NULL,NULL,NULL,NULL,0.9,1.0,1.2,'forced',29.1,NULL,NULL,NULL,NULL,NULL,0.012,0.8);
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
INSERT INTO "product" VALUES(1,1,0,'file','ja','{"exposure": "ja"}','{}','good');
INSERT INTO "product" VALUES(2,2,0,'light curve','T','{"target": "T"}','{}','caveat');
CREATE TABLE "product_file" (
   "id" INTEGER PRIMARY KEY,
   "product_id" INTEGER NOT NULL REFERENCES "product"("id"),
   "role" TEXT NOT NULL,
   "path" TEXT NOT NULL,
   "content_id" INTEGER NOT NULL REFERENCES "content"("id"),
   "owned" INTEGER NOT NULL
) STRICT;
INSERT INTO "product_file" VALUES(1,1,'science','raw/ja_flc.fits',1,1);
INSERT INTO "product_file" VALUES(2,2,'table','products/T_drz.fits',2,1);
CREATE TABLE "recipe" (
   "id" INTEGER PRIMARY KEY,
   "digest" TEXT NOT NULL,
   "name" TEXT NOT NULL,
   "path" TEXT,
   "text" TEXT NOT NULL,
   "canonical" TEXT NOT NULL,
   "first_seen" TEXT NOT NULL
) STRICT;
INSERT INTO "recipe" VALUES(1,'blake3:304a19def2aea2481365181910a8cb5cd46ddbef96b9c3f3f90a04d494ff564c','old','old.yaml','hst123r: 1
','{}','2026-11-27T07:46:46.035Z');
CREATE TABLE "reference_file" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "keyword" TEXT NOT NULL,
   "name" TEXT NOT NULL,
   "digest" TEXT
) STRICT;
CREATE TABLE "reject" (
   "id" INTEGER PRIMARY KEY,
   "job_id" INTEGER NOT NULL REFERENCES "job"("id"),
   "subject" TEXT NOT NULL,
   "code" TEXT NOT NULL,
   "reason" TEXT NOT NULL,
   "labels" TEXT NOT NULL
) STRICT;
INSERT INTO "reject" VALUES(1,2,'jb','after','too early','{}');
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
   "jobs_reused" INTEGER,
   "reused" TEXT,
   "blocked" TEXT,
   "lock_id" INTEGER REFERENCES "lock"("id")
) STRICT;
INSERT INTO "run" VALUES(1,'20251101T000000Z-000000',1,1,'["hst123r", "run", "old.yaml"]','/work','ann','laptop',1,'2026-11-27T07:46:46.035Z','2026-11-27T07:46:46.059Z','done',0,'{}','[]',2,0,'[]','[]',1);
CREATE TABLE "tag" (
   "name" TEXT PRIMARY KEY,
   "run_id" INTEGER NOT NULL REFERENCES "run"("id"),
   "created" TEXT NOT NULL,
   "note" TEXT NOT NULL
) STRICT;
INSERT INTO "tag" VALUES('paper-v1',1,'2026-11-27T07:46:46.059Z','as submitted');
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
CREATE INDEX "idx_measurement_job_id"
    ON "measurement" ("job_id");
CREATE INDEX "idx_measurement_name"
    ON "measurement" ("name");
CREATE INDEX "idx_caveat_job_id"
    ON "caveat" ("job_id");
CREATE INDEX "idx_reject_job_id"
    ON "reject" ("job_id");
CREATE INDEX "idx_download_job_id"
    ON "download" ("job_id");
CREATE INDEX "idx_reference_file_job_id"
    ON "reference_file" ("job_id");
CREATE INDEX "idx_photometry_job_id"
    ON "photometry" ("job_id");
CREATE INDEX "idx_photometry_target_filter"
    ON "photometry" ("target", "filter");
CREATE INDEX "idx_event_run_id"
    ON "event" ("run_id");
CREATE VIEW "run_reused" AS 
        select r.id as run_id, j.value as job_id from run r, json_each(coalesce(r.reused, '[]')) j;
CREATE VIEW "run_blocked" AS 
        select r.id as run_id,
               json_extract(j.value, '$.stage') as stage,
               json_extract(j.value, '$.label') as label,
               json_extract(j.value, '$.why') as why
        from run r, json_each(coalesce(r.blocked, '[]')) j;
CREATE INDEX "idx_tag_run_id"
    ON "tag" ("run_id");
CREATE INDEX "idx_product_name_kind"
    ON "product" ("name", "kind");
CREATE INDEX "idx_job_input_path"
    ON "job_input" ("path");
CREATE UNIQUE INDEX "idx_lock_digest"
    ON "lock" ("digest");
CREATE VIEW "last_good" AS 
    select j.id as job, j.run_id as run, j.stage, j.label, j.handler, j.version, j.quality,
           j.started, j.ended, j.key,
           
           json_extract(j.labels, '$.target') as target,
           json_extract(j.labels, '$.field') as field,
           json_extract(j.labels, '$.detector') as detector,
           json_extract(j.labels, '$.filter') as filter,
           json_extract(j.labels, '$.epoch') as epoch,
           json_extract(j.labels, '$.visit') as visit,
           json_extract(j.labels, '$.exposure') as exposure

    from job j
    where j.id in (select max(id) from job where state = 'done' and forgotten = 0
                   group by stage, label);
CREATE VIEW "lineage" AS 
    select i.job_id as job, i.kind, i.name, i.role, i.path, i.content_id,
           case when i.path is null then
             (select max(p.id) from product p join job m on m.id = p.job_id
              where p.name = i.name and p.kind = i.kind and m.state = 'done' and m.id < i.job_id)
           else
             coalesce((
            select max(p.id) from product_file f join product p on p.id = f.product_id
            join job m on m.id = p.job_id
            where f.path = i.path and f.owned = 1 and m.state = 'done' and m.id < i.job_id
 and f.content_id = i.content_id), (
            select max(p.id) from product_file f join product p on p.id = f.product_id
            join job m on m.id = p.job_id
            where f.path = i.path and f.owned = 1 and m.state = 'done' and m.id < i.job_id
))
           end as product,
           i.identity
    from job_input i
    where i.path is not null or 
           not exists (select 1 from job_input o where o.job_id = i.job_id and o.kind = i.kind
                       and o.name = i.name and o.path is not null);
CREATE VIEW "measurements" AS 
    select m.id, j.run_id as run, m.job_id as job, j.stage, j.label, m.subject, m.name, m.value,
           m.unit, m.low, m.high, m.quality,
           
           json_extract(j.labels, '$.target') as target,
           json_extract(j.labels, '$.field') as field,
           json_extract(j.labels, '$.detector') as detector,
           json_extract(j.labels, '$.filter') as filter,
           json_extract(j.labels, '$.epoch') as epoch,
           json_extract(j.labels, '$.visit') as visit,
           json_extract(j.labels, '$.exposure') as exposure
,
           
           j.id in (select max(id) from job where state = 'done' and forgotten = 0
                    group by stage, label) as current

    from measurement m join job j on j.id = m.job_id;
CREATE VIEW "photometry_by_run" AS 
    select s.run_id as run, r.started as run_started, p.*
    from (select run_id, id as job_id from job where state = 'done'
          union select run_id, job_id from run_reused) s
    join run r on r.id = s.run_id
    join photometry p on p.job_id = s.job_id;
CREATE VIEW "rejects" AS 
    select e.id, j.run_id as run, e.job_id as job, j.stage, j.label, e.subject, e.code, e.reason,
           json_extract(e.labels, '$.detector') as detector,
           json_extract(e.labels, '$.filter') as filter,
           
           j.id in (select max(id) from job where state = 'done' and forgotten = 0
                    group by stage, label) as current

    from reject e join job j on j.id = e.job_id;
COMMIT;
