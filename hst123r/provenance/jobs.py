"""The rows about jobs: what they read, with which parameters, what they made, and how it ended."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from hst123r.files.content import Content
from hst123r.provenance.contents import BYTES, Contents, Known, insert
from hst123r.provenance.rows import InputRow, Made, Part, Record, concerns, product_quality
from hst123r.provenance.sqlite import Database
from hst123r.records.dates import utc_now
from hst123r.records.outcome import Caveat, Outcome, Product, Quality


class Jobs:
    """The tables ``job``, ``job_param``, ``job_input``, ``product`` and what hangs on them.

    Parameters
    ----------
    db : Database
        The store.
    contents : Contents
        Its contents.
    """

    def __init__(self, db: Database, contents: Contents) -> None:
        self.db = db
        self.contents = contents

    def records(self) -> dict[tuple[str, str], Record]:
        """Return the last attempts at every job, by stage and label."""
        done = {
            (row[0], row[1]): row[2:]
            for row in self.db.execute(
                "select stage, label, max(id), key, quality, coalesce(incomplete, '') from job "
                "where state = 'done' and forgotten = 0 group by stage, label"
            )
        }
        rows = self.db.execute(
            "select stage, label, max(id), state, error from job group by stage, label"
        )
        found = {}
        for stage, label, last, state, error in rows:
            number, key, quality, incomplete = done.get((stage, label), (None, None, None, ""))
            found[stage, label] = Record(number, key, quality, last, state, error, incomplete)
        return found

    def made(self, job_ids: Iterable[int]) -> dict[int, list[Made]]:
        """Return the products of jobs.

        Parameters
        ----------
        job_ids : iterable of int
            Rows of jobs.

        Returns
        -------
        dict of int to list of Made
            In the order they were handed over.
        """
        wanted = json.dumps(list(job_ids))
        files: dict[int, list[tuple[str, str, int, int]]] = {}
        for product_id, role, path, content_id, owned in self.db.execute(
            "select f.product_id, f.role, f.path, f.content_id, f.owned from product_file f "
            "join product p on p.id = f.product_id "
            "where p.job_id in (select value from json_each(?)) order by f.id",
            [wanted],
        ):
            files.setdefault(product_id, []).append((role, path, content_id, owned))
        caveats = self._caveats(wanted)
        found: dict[int, list[Made]] = {}
        for row in self.db.execute(
            "select id, job_id, kind, name, labels, facts, quality from product "
            "where job_id in (select value from json_each(?)) order by job_id, position",
            [wanted],
        ):
            product_id, job_id, kind, name, labels, facts, quality = row
            mine = files.get(product_id, [])
            product = Product(
                kind=kind,
                name=name,
                labels=json.loads(labels),
                files={role: self.contents.absolute(path) for role, path, _, _ in mine},
                facts=json.loads(facts),
                quality=Quality(quality),
            )
            product.caveats = [
                caveat for caveat in caveats.get(job_id, []) if concerns(caveat.subject, product)
            ]
            made = Made(
                product,
                {role: self.contents.get(content) for role, _, content, _ in mine},
                {role: bool(owned) for role, _, _, owned in mine},
            )
            found.setdefault(job_id, []).append(made)
        return found

    def _caveats(self, wanted: str) -> dict[int, list[Caveat]]:
        found: dict[int, list[Caveat]] = {}
        for job_id, code, text, subject in self.db.execute(
            "select job_id, code, text, subject from caveat "
            "where job_id in (select value from json_each(?)) order by id",
            [wanted],
        ):
            found.setdefault(job_id, []).append(Caveat(code, text, subject))
        return found

    def parts(self, job_id: int) -> list[Part]:
        """Return all named parts of a job's key, as they were."""
        parts = [
            Part(*row)
            for row in self.db.execute(
                "select kind, name, value, origin from job_param where job_id = ?", [job_id]
            )
        ]
        for kind, name, role, content, identity in self.db.execute(
            "select kind, name, role, content_id, identity from job_input where job_id = ? "
            "order by id",
            [job_id],
        ):
            parts += [
                Part("input", f"{kind}/{name}/{role}/{facet}", digest)
                for facet, digest in self._identity(content, identity).items()
            ]
        return parts

    def inputs(self, job_id: int) -> list[InputRow]:
        """Return what a job read."""
        rows = self.db.execute(
            "select kind, name, role, position, path, content_id, identity from job_input "
            "where job_id = ? order by id",
            [job_id],
        ).fetchall()
        return [
            InputRow(
                kind, name, role, position, path and self.contents.absolute(path), content,
                self._identity(content, identity),
            )
            for kind, name, role, position, path, content, identity in rows
        ]  # fmt: skip

    def _identity(self, content_id: int | None, text: str) -> dict[str, str]:
        """Return what a job looked at in a file, in the form of now.

        All bytes of a FITS file were its digest before they were all of its facets but the volatile
        one; it is the same content, whichever of the two was written.
        """
        identity: dict[str, str] = json.loads(text)
        if content_id is not None and BYTES in identity:
            known = self.contents.get(content_id)
            if identity[BYTES] == known.digest:
                identity[BYTES] = known.facet(BYTES)
        return identity

    def start(self, row: dict[str, Any]) -> int:
        """Record that a job starts.

        Parameters
        ----------
        row : dict
            ``run_id``, ``stage``, ``handler``, ``label``, ``labels``, ``version``, ``key``,
            ``reasons``, ``log``, ``handler_digest``; lists and dicts are stored as JSON.

        Returns
        -------
        int
            Row of the attempt.
        """
        plain = {k: json.dumps(v) if isinstance(v, (list, dict)) else v for k, v in row.items()}
        plain |= {"state": "running", "started": utc_now(), "forgotten": 0}
        return insert(self.db, "job", plain)

    def describe(self, job_id: int, parts: list[Part], inputs: list[InputRow], key: str) -> None:
        """Record a job's key and its named parts.

        Parameters
        ----------
        job_id : int
            Row of the attempt.
        parts : list of Part
            All parts but the inputs.
        inputs : list of InputRow
            What the job reads.
        key : str
            Digest of all parts.
        """
        self.db.table("job").update(job_id, {"key": key})
        self.db.table("job_param").insert_all(
            {
                "job_id": job_id,
                "kind": part.kind,
                "name": part.name,
                "value": part.value,
                "origin": part.origin,
            }
            for part in parts
            if part.kind != "input"
        )
        self.db.table("job_input").insert_all(
            {
                "job_id": job_id,
                "kind": row.kind,
                "position": row.position,
                "name": row.name,
                "role": row.role,
                "path": row.path and self.contents.relative(row.path),
                "content_id": row.content_id,
                "identity": json.dumps(row.identity),
            }
            for row in inputs
        )

    def finish(
        self,
        job_id: int,
        outcome: Outcome,
        files: dict[str, Content | Known],
        usage: dict[str, Any],
    ) -> None:
        """Record that a job is done, with all it handed over.

        Parameters
        ----------
        job_id : int
            Row of the attempt.
        outcome : Outcome
            Its products with absolute final paths, measurements, caveats, rejects.
        files : dict of str to Content or Known
            Content by absolute path, for every file of every product; `Content` for files the
            job made, `Known` for files it refers to.
        usage : dict
            ``cpu_seconds`` and ``peak_memory_mb``.
        """
        known = {p: c if isinstance(c, Known) else self.contents.add(c) for p, c in files.items()}
        owned = {path for path, content in files.items() if isinstance(content, Content)}
        for position, product in enumerate(outcome.products):
            quality = product_quality(product, outcome)
            product_id = insert(
                self.db,
                "product",
                {
                    "job_id": job_id,
                    "position": position,
                    "kind": product.kind,
                    "name": product.name,
                    "labels": json.dumps(product.labels),
                    "facts": json.dumps(product.facts, allow_nan=False),
                    "quality": quality.value,
                },
            )
            self.db.table("product_file").insert_all(
                {
                    "product_id": product_id,
                    "role": role,
                    "path": self.contents.relative(path),
                    "content_id": known[path].id,
                    "owned": int(path in owned),
                }
                for role, path in product.files.items()
            )
        self._details(job_id, outcome)
        row = {**usage, "state": "done", "quality": outcome.quality.value, "ended": utc_now()}
        row["incomplete"] = outcome.incomplete or None
        self.db.table("job").update(job_id, row)

    def _details(self, job_id: int, outcome: Outcome) -> None:
        self.db.table("measurement").insert_all(
            {
                "job_id": job_id,
                "name": item.name,
                "value": None if math.isnan(item.value) else float(item.value),
                "unit": item.unit,
                "low": item.low,
                "high": item.high,
                "quality": item.quality.value,
                "subject": item.subject,
            }
            for item in outcome.measurements
        )
        self.db.table("caveat").insert_all(
            {"job_id": job_id, "code": item.code, "text": item.text, "subject": item.subject}
            for item in outcome.caveats
        )
        self.db.table("reject").insert_all(
            {
                "job_id": job_id,
                "subject": item.subject,
                "code": item.code,
                "reason": item.reason,
                "labels": json.dumps(item.labels),
            }
            for item in outcome.rejects
        )
        for table, rows in (
            ("photometry", outcome.photometry),
            ("reference_file", outcome.references),
            ("download", outcome.downloads),
        ):
            self.db.table(table).insert_all({"job_id": job_id, **row} for row in rows)

    def fail(self, job_id: int, state: str, error: dict[str, Any], usage: dict[str, Any]) -> None:
        """Record that a job failed or was interrupted.

        Parameters
        ----------
        job_id : int
            Row of the attempt.
        state : str
            ``failed`` or ``interrupted``.
        error : dict
            ``error_kind``, ``error`` and ``exit_code``.
        usage : dict
            ``cpu_seconds`` and ``peak_memory_mb``, empty where unknown.
        """
        self.db.table("job").update(job_id, {**error, **usage, "state": state, "ended": utc_now()})

    def forget(self, stage: str, label: str | None) -> int:
        """Forget the results of a job, or of all jobs of a stage, so that they run again.

        Parameters
        ----------
        stage : str
            Name of the stage in the recipe.
        label : str or None
            Label of the job; None for all.

        Returns
        -------
        int
            Number of jobs forgotten.
        """
        sql = "update job set forgotten = 1 where forgotten = 0 and stage = ?"
        values = [stage] if label is None else [stage, label]
        with self.db.atomic():
            cursor = self.db.execute(sql + ("" if label is None else " and label = ?"), values)
        return int(cursor.rowcount)
