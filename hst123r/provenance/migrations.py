"""The tables of the store, as numbered migrations; existing stores are brought up to date."""

from __future__ import annotations

from typing import Any, Final

from hst123r.provenance.sqlite import Database, Migrations

migrations: Final = Migrations("hst123r")

_ID: Final = {"id": int}


def _create(
    db: Database,
    name: str,
    columns: dict[str, type],
    *,
    required: tuple[str, ...] = (),
    keys: tuple[tuple[str, str], ...] = (),
    indexes: tuple[tuple[str, ...], ...] = (),
    **options: Any,
) -> None:
    """Create a strict table; ``keys`` are foreign keys to the ``id`` of another table."""
    table = db.table(name)
    table.create(
        columns,
        pk=options.pop("pk", "id"),
        not_null=set(required),
        foreign_keys=[(column, other, "id") for column, other in keys],
        strict=True,
        **options,
    )
    for index in indexes:
        table.create_index(list(index))


@migrations()
def m001_what_was_asked(db: Database) -> None:
    """Recipes, environments and runs."""
    _create(
        db,
        "recipe",
        {**_ID, "digest": str, "name": str, "path": str, "text": str, "canonical": str,
         "first_seen": str},
        required=("digest", "name", "text", "canonical", "first_seen"),
    )  # fmt: skip
    db.table("recipe").create_index(["digest"], unique=True)
    _create(
        db,
        "environment",
        {**_ID, "digest": str, "python": str, "platform": str, "packages": str,
         "crds_context": str},
        required=("digest", "python", "platform", "packages"),
    )  # fmt: skip
    db.table("environment").create_index(["digest"], unique=True)
    _create(
        db,
        "run",
        {**_ID, "uid": str, "recipe_id": int, "environment_id": int, "command": str,
         "folder": str, "user": str, "host": str, "pid": int, "started": str, "ended": str,
         "state": str, "exit_code": int, "options": str, "parameters": str, "jobs_run": int,
         "jobs_reused": int},
        required=("uid", "recipe_id", "environment_id", "command", "started", "state"),
        keys=(("recipe_id", "recipe"), ("environment_id", "environment")),
    )  # fmt: skip


@migrations()
def m002_what_the_bytes_are(db: Database) -> None:
    """File contents, the paths they were seen at, and their header cards."""
    _create(
        db,
        "content",
        {**_ID, "digest": str, "size": int, "kind": str, "facets": str, "sha256": str},
        required=("digest", "size", "kind", "facets"),
    )
    db.table("content").create_index(["digest"], unique=True)
    _create(
        db,
        "path_state",
        {"path": str, "device": int, "inode": int, "size": int, "mtime_ns": int,
         "ctime_ns": int, "content_id": int, "checked": str},
        required=("device", "inode", "size", "mtime_ns", "ctime_ns", "content_id", "checked"),
        keys=(("content_id", "content"),),
        pk="path",
    )  # fmt: skip
    _create(
        db,
        "header",
        {**_ID, "content_id": int, "hdu": int, "name": str, "version": int, "cards": str},
        required=("content_id", "hdu", "name", "version", "cards"),
        keys=(("content_id", "content"),),
        indexes=(("content_id",),),
    )
    db.create_view(
        "header_card",
        """
        select h.content_id, h.hdu, h.name, h.version,
               json_extract(c.value, '$[0]') as keyword,
               json_extract(c.value, '$[1]') as value,
               json_extract(c.value, '$[2]') as comment
        from header h, json_each(h.cards) c
        """,
    )


@migrations()
def m003_what_was_done(db: Database) -> None:
    """Jobs, what they read, with which parameters, and what they made."""
    _create(
        db,
        "job",
        {**_ID, "run_id": int, "stage": str, "handler": str, "label": str, "labels": str,
         "version": int, "key": str, "state": str, "quality": str, "reasons": str,
         "started": str, "ended": str, "cpu_seconds": float, "peak_memory_mb": float,
         "log": str, "error_kind": str, "error": str, "exit_code": int,
         "handler_digest": str, "forgotten": int},
        required=("run_id", "stage", "handler", "label", "labels", "version", "state",
                  "reasons", "forgotten"),
        keys=(("run_id", "run"),),
        indexes=(("stage", "label", "id"), ("run_id",)),
        defaults={"forgotten": 0},
    )  # fmt: skip
    _create(
        db,
        "job_param",
        {"job_id": int, "kind": str, "name": str, "value": str, "origin": str},
        required=("job_id", "kind", "name", "value", "origin"),
        keys=(("job_id", "job"),),
        pk=("job_id", "kind", "name"),
    )
    _create(
        db,
        "job_input",
        {**_ID, "job_id": int, "kind": str, "position": int, "name": str, "role": str,
         "path": str, "content_id": int, "identity": str},
        required=("job_id", "kind", "position", "name", "role", "identity"),
        keys=(("job_id", "job"), ("content_id", "content")),
        indexes=(("job_id",), ("content_id",)),
    )  # fmt: skip
    _create(
        db,
        "product",
        {**_ID, "job_id": int, "position": int, "kind": str, "name": str, "labels": str,
         "facts": str, "quality": str},
        required=("job_id", "position", "kind", "name", "labels", "facts", "quality"),
        keys=(("job_id", "job"),),
        indexes=(("job_id",),),
    )  # fmt: skip
    _create(
        db,
        "product_file",
        {**_ID, "product_id": int, "role": str, "path": str, "content_id": int, "owned": int},
        required=("product_id", "role", "path", "content_id", "owned"),
        keys=(("product_id", "product"), ("content_id", "content")),
        indexes=(("product_id",), ("path",), ("content_id",)),
    )


@migrations()
def m004_what_is_known_of_it(db: Database) -> None:
    """Measurements, caveats, rejects, downloads, references, photometry, events, the lease."""
    _verdicts(db)
    _files_of_others(db)
    _results_and_runs(db)


_OF_JOB: Final = (("job_id", "job"),)


def _verdicts(db: Database) -> None:
    _create(
        db,
        "measurement",
        {**_ID, "job_id": int, "name": str, "value": float, "unit": str, "low": float,
         "high": float, "quality": str, "subject": str},
        required=("job_id", "name", "unit", "quality", "subject"),
        keys=_OF_JOB,
        indexes=(("job_id",), ("name",)),
    )  # fmt: skip
    _create(
        db,
        "caveat",
        {**_ID, "job_id": int, "code": str, "text": str, "subject": str},
        required=("job_id", "code", "text", "subject"),
        keys=_OF_JOB,
        indexes=(("job_id",),),
    )
    _create(
        db,
        "reject",
        {**_ID, "job_id": int, "subject": str, "code": str, "reason": str, "labels": str},
        required=("job_id", "subject", "code", "reason", "labels"),
        keys=_OF_JOB,
        indexes=(("job_id",),),
    )


def _files_of_others(db: Database) -> None:
    _create(
        db,
        "download",
        {**_ID, "job_id": int, "uri": str, "path": str, "size": int, "sha256": str,
         "status": str, "retrieved": str},
        required=("job_id", "uri", "status"),
        keys=_OF_JOB,
        indexes=(("job_id",),),
    )  # fmt: skip
    _create(
        db,
        "reference_file",
        {**_ID, "job_id": int, "keyword": str, "name": str, "digest": str},
        required=("job_id", "keyword", "name"),
        keys=_OF_JOB,
        indexes=(("job_id",),),
    )


def _results_and_runs(db: Database) -> None:
    _create(
        db,
        "photometry",
        {**_ID, "job_id": int, "target": str, "source": str, "level": str, "detector": str,
         "filter": str, "epoch": str, "visit": str, "exposure": str, "mjd": float,
         "exposure_time_s": float, "n_exposures": int, "flux_njy": float,
         "flux_err_njy": float, "snr": float, "mag_ab": float, "mag_err": float,
         "limit_ab": float, "limit_sigma": float, "flags": int, "caveats": str},
        required=("job_id", "target", "level"),
        keys=_OF_JOB,
        indexes=(("job_id",), ("target", "filter")),
    )  # fmt: skip
    _create(
        db,
        "event",
        {**_ID, "run_id": int, "job_id": int, "time": str, "level": str, "code": str,
         "message": str},
        required=("run_id", "time", "level", "code", "message"),
        keys=(("run_id", "run"),),
        indexes=(("run_id",),),
    )  # fmt: skip
    _create(
        db,
        "lease",
        {"resource": str, "host": str, "pid": int, "user": str, "started": str, "command": str},
        required=("host", "pid", "user", "started", "command"),
        pk="resource",
    )


@migrations()
def m005_what_a_run_did_not_run(db: Database) -> None:
    """Which attempts a run reused, and which jobs it could not run; lists in the row of the run."""
    for column in ("reused", "blocked"):
        db.table("run").add_column(column, str)
    db.create_view(
        "run_reused",
        """
        select r.id as run_id, j.value as job_id from run r, json_each(coalesce(r.reused, '[]')) j
        """,
    )
    db.create_view(
        "run_blocked",
        """
        select r.id as run_id,
               json_extract(j.value, '$.stage') as stage,
               json_extract(j.value, '$.label') as label,
               json_extract(j.value, '$.why') as why
        from run r, json_each(coalesce(r.blocked, '[]')) j
        """,
    )


@migrations()
def m006_what_is_tried_again(db: Database) -> None:
    """Why a job that is done has to be tried again."""
    db.table("job").add_column("incomplete", str)


@migrations()
def m007_errors_limits_and_systems(db: Database) -> None:
    """Both errors and chi-square of a mean, where its limit comes from, other systems."""
    for column, kind in (
        ("flux_err_weights_njy", float),
        ("flux_err_scatter_njy", float),
        ("chi2", float),
        ("limit_method", str),
        ("mag_st", float),
        ("limit_st", float),
        ("mag_vega", float),
        ("limit_vega", float),
        ("extinction_mag", float),
        ("flux_corrected_njy", float),
    ):
        db.table("photometry").add_column(column, kind)


@migrations()
def m008_what_is_asked(db: Database) -> None:
    """Tags of runs, and the index that the views of `provenance.views` need; these have no number.

    The store gets them when it is opened.
    """
    _create(
        db,
        "tag",
        {"name": str, "run_id": int, "created": str, "note": str},
        required=("run_id", "created", "note"),
        keys=(("run_id", "run"),),
        indexes=(("run_id",),),
        pk="name",
    )
    db.table("product").create_index(["name", "kind"])
    db.table("job_input").create_index(["path"])


@migrations()
def m009_locks(db: Database) -> None:
    """The text of the lock of each run; the file beside the recipe may be another one by now."""
    _create(
        db,
        "lock",
        {**_ID, "digest": str, "text": str, "first_seen": str},
        required=("digest", "text", "first_seen"),
    )
    db.table("lock").create_index(["digest"], unique=True)
    db.table("run").add_column("lock_id", int, fk="lock", fk_col="id")


@migrations()
def m010_systematic_errors(db: Database) -> None:
    """The error that all magnitudes of a filter share, and that of a flux at its fixed place."""
    db.table("photometry").add_column("mag_sys", float)
    db.table("photometry").add_column("flux_err_fixed_njy", float)
