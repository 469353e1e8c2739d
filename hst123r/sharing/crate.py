"""A run as an RO-Crate of the profile Provenance Run Crate, through the package rocrate.

Stages of the recipe are the steps of the workflow, each by the tool that hst123r has for it; jobs
are their executions. See https://www.researchobject.org/workflow-run-crate/profiles/0.5/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import EnvironmentProblem
from hst123r.sharing.choice import RESULTS, Chosen

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

RECIPE: Final = "recipe.yaml"
METADATA: Final = "ro-crate-metadata.json"
ENGINE: Final = "#hst123r"
RAW: Final = "file"
"""Kind of the products that are files of an archive."""
LANGUAGE: Final = "#hst123r-recipe"
INSTALL: Final = "Install it with `pip install 'hst123r[share]'`"
_PERMALINK: Final = "https://w3id.org/ro/wfrun/"
_PROFILES: Final = (
    ("process/0.5", "Process Run Crate", "0.5"),
    ("workflow/0.5", "Workflow Run Crate", "0.5"),
    ("provenance/0.5", "Provenance Run Crate", "0.5"),
)
_WORKFLOW_CRATE: Final = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_CONTEXT: Final = "https://w3id.org/ro/terms/workflow-run/context"


def metadata(
    extract: Mapping[str, Any], files: Sequence[Chosen], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the metadata of a crate.

    Parameters
    ----------
    extract : mapping
        What the run rests on, see :func:`hst123r.provenance.extract.extract`.
    files : sequence of Chosen
        Files of the bundle.
    about : mapping
        ``name``, ``description``, ``license`` and ``version`` (of hst123r).

    Returns
    -------
    dict
        JSON-LD, the same for the same run.

    Raises
    ------
    EnvironmentProblem
        If rocrate is not installed.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError as error:
        raise EnvironmentProblem("the package rocrate is not installed", hint=INSTALL) from error

    crate = ROCrate(version="1.1")
    crate.name, crate.description = about["name"], about["description"]
    crate.license = about["license"]
    crate.datePublished = _time(extract["run"]["ended"] or extract["run"]["started"])
    crate.metadata.extra_contexts.append(_CONTEXT)
    crate.root_dataset["conformsTo"] = _profiles(crate)
    stages = list(dict.fromkeys(job["stage"] for job in extract["jobs"]))
    _add_engine(crate, about)
    workflow = _add_workflow(crate, extract, stages)
    by_path = {**_add_raw(crate, extract), **_add_files(crate, files)}
    actions = [_add_job(crate, job, by_path) for job in extract["jobs"]]
    _add_run(crate, extract, workflow, actions)
    document: dict[str, Any] = crate.metadata.generate()
    document["@graph"] = sorted(document["@graph"], key=lambda entity: str(entity["@id"]))
    # through JSON and back, so that what is not plain shows here
    plain: dict[str, Any] = json.loads(json.dumps(document, default=str, sort_keys=True))
    return plain


def _time(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)


def _add(crate: ROCrate, identifier: str, /, **properties: Any) -> Any:
    from rocrate.model import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties=properties))


def _profiles(crate: ROCrate) -> list[Any]:
    found = [
        _add(crate, f"{_PERMALINK}{path}", **{"@type": "CreativeWork"}, name=name, version=version)
        for path, name, version in _PROFILES
    ]
    words = {"@type": "CreativeWork", "name": "Workflow RO-Crate", "version": "1.0"}
    return [*found, _add(crate, _WORKFLOW_CRATE, **words)]


def _add_engine(crate: ROCrate, about: Mapping[str, Any]) -> None:
    _add(
        crate, ENGINE, **{"@type": "SoftwareApplication"}, name="hst123r",
        softwareVersion=about["version"], version=about["version"],
        description="Runs recipes on Hubble imaging and records where every number comes from",
    )  # fmt: skip


def _add_workflow(crate: ROCrate, extract: Mapping[str, Any], stages: Sequence[str]) -> Any:
    from rocrate.model import ComputerLanguage

    names = {"name": "hst123r recipe", "alternateName": "recipe"}
    language = crate.add(ComputerLanguage(crate, LANGUAGE, properties=names))
    kinds = {"@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]}
    workflow = crate.add_workflow(dest_path=RECIPE, main=True, lang=language, properties=kinds)
    workflow["name"] = extract["run"]["recipe"]
    workflow["encodingFormat"] = "application/yaml"
    steps, tools = [], {}
    handlers = {job["stage"]: job for job in extract["jobs"]}
    for position, stage in enumerate(stages, 1):
        job = handlers[stage]
        tool = f"#tool-{job['handler']}"
        if tool not in tools:
            tools[tool] = _add(
                crate, tool, **{"@type": "SoftwareApplication"}, name=job["handler"],
                description=f"The stage {job['handler']} of hst123r",
                softwareVersion=str(job["version"]), isPartOf={"@id": ENGINE},
            )  # fmt: skip
        words = {"@type": "HowToStep", "name": stage, "position": str(position)}
        steps.append(_add(crate, f"{RECIPE}#{stage}", **words, workExample={"@id": tool}))
    workflow["step"], workflow["hasPart"] = steps, list(tools.values())
    return workflow


def _add_raw(crate: ROCrate, extract: Mapping[str, Any]) -> dict[str, Any]:
    """Add what archives gave, which is not in the crate: where it is from, and its digest."""
    found = {}
    for job in extract["jobs"]:
        uris = {item["sha256"]: item["uri"] for item in job["downloads"] if item["sha256"]}
        for product in job["products"]:
            for file in product["files"]:
                if product["kind"] != RAW or not file["owned"]:
                    continue
                uri = uris.get(file["sha256"])
                found[file["path"]] = _add(
                    crate, f"#{file['path']}", **{"@type": "CreativeWork"}, name=file["path"],
                    identifier=[text for text in (uri, file["digest"], file["sha256"]) if text],
                    description="A file of the archive; `replay` fetches it again",
                )  # fmt: skip
    return found


def _add_files(crate: ROCrate, files: Sequence[Chosen]) -> dict[str, Any]:
    found = {}
    for item in files:
        words = {
            "name": item.name.rpartition("/")[2],
            "description": f"{item.kind}, {item.role}, by {item.job}",
            "identifier": item.digest,
        }
        path = item.name.removeprefix(RESULTS)
        found[path] = crate.add_file(dest_path=item.name, properties=words)
    return found


def _add_job(crate: ROCrate, job: Mapping[str, Any], by_path: Mapping[str, Any]) -> Any:
    name = f"{job['stage']}:{job['label']}"
    made = [
        by_path[file["path"]]
        for product in job["products"]
        for file in product["files"]
        if file["owned"] and file["path"] in by_path
    ]
    read = {entry["path"]: by_path[entry["path"]] for entry in job["inputs"]
            if entry["path"] in by_path}  # fmt: skip
    values = [
        _add(
            crate, f"#{name}/{part['name']}", **{"@type": "PropertyValue"}, name=part["name"],
            value=str(part["value"]), description=part["origin"] or None,
        )
        for part in job["parts"]
        if part["kind"] == "param"
    ]  # fmt: skip
    action = _add(
        crate, f"#job-{name}", **{"@type": "CreateAction"}, name=name,
        instrument={"@id": f"#tool-{job['handler']}"}, object=[*read.values(), *values],
        result=made, actionStatus="http://schema.org/CompletedActionStatus",
        description=f"key {job['key']}, quality {job['quality']}",
    )  # fmt: skip
    return _add(
        crate, f"#control-{name}", **{"@type": "ControlAction"}, name=f"{name}, started",
        instrument={"@id": f"{RECIPE}#{job['stage']}"}, object=action,
        actionStatus="http://schema.org/CompletedActionStatus",
    )  # fmt: skip


def _add_run(
    crate: ROCrate, extract: Mapping[str, Any], workflow: Any, controls: Sequence[Any]
) -> None:
    run = extract["run"]
    good = run["state"] == "done"
    status = "CompletedActionStatus" if good else "FailedActionStatus"
    times = {key: run[name] for key, name in (("startTime", "started"), ("endTime", "ended"))
             if run[name]}  # fmt: skip
    action = _add(
        crate, f"#run-{run['uid']}", **{"@type": "CreateAction"}, instrument=workflow,
        name=f"run of {run['recipe']}", actionStatus=f"http://schema.org/{status}",
        description=" ".join(_options(run["options"])) or "hst123r run", **times,
        result=[
            entity for entity in crate.data_entities
            if entity.id not in {workflow.id, "./"} and entity.type == "File"
        ],
    )  # fmt: skip
    _add(
        crate, f"#engine-{run['uid']}", **{"@type": "OrganizeAction"}, name="hst123r run",
        instrument={"@id": ENGINE}, object=list(controls), result=action, **times,
    )  # fmt: skip
    crate.root_dataset["mentions"] = [action]


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        if value not in (None, False, [], ""):
            yield f"--{name} {value}"
