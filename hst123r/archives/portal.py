"""Asking MAST's portal for observations and their products, through astroquery.

Only queries go through astroquery; files are fetched by `fetcher`. The token takes no part in
queries, which are public, so that nothing of astroquery's can show it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from typing import Any, Final

from hst123r.archives.endpoints import Endpoints
from hst123r.archives.patience import Patience, Stop
from hst123r.archives.replies import Replies
from hst123r.errors import ArchiveError
from hst123r.records.position import SkyPosition

PER_REQUEST: Final = 200
"""Observations whose products are asked for at once; each has some 20 to 60."""
COLLECTION: Final = "HST"
KIND: Final = "image"
Row = dict[str, Any]


class Portal:
    """The portal of MAST, or of what stands in its place.

    Parameters
    ----------
    endpoints : Endpoints
        Its addresses.
    replies : Replies
        Answers that are kept.
    patience : Patience
        Limits of waiting.
    """

    def __init__(
        self, endpoints: Endpoints, replies: Replies, patience: Patience | None = None
    ) -> None:
        self._endpoints = endpoints
        self._replies = replies
        self._patience = patience or Patience()
        self._client: Any = None

    def observations(
        self,
        position: SkyPosition,
        radius_arcsec: float,
        instruments: Sequence[str],
        intents: Sequence[str],
    ) -> list[Row]:
        """Return the observations whose footprints touch a circle.

        Parameters
        ----------
        position : SkyPosition
            Its centre.
        radius_arcsec : float
            Its radius, above 0.
        instruments : sequence of str
            Values of ``instrument_name``.
        intents : sequence of str
            ``science``, ``calibration``.

        Returns
        -------
        list of dict
            One for each, with the columns that MAST gives and ``distance`` in arcsec.

        Raises
        ------
        ArchiveError
            If MAST gives no whole answer.
        """
        # exact names only: of several wildcards astroquery would drop all but one
        criteria: dict[str, Any] = {
            "obs_collection": [COLLECTION],
            "dataproduct_type": [KIND],
            "instrument_name": sorted(instruments),
            "intentType": sorted(intents),
        }
        place = [position.ra_deg, position.dec_deg, radius_arcsec]
        question = {"service": "observations", "place": place, "criteria": criteria}
        question["server"] = self._endpoints.server

        def ask() -> list[str]:
            from astropy import units

            client = self._connect()
            where = {"coordinates": position.skycoord, "radius": radius_arcsec * units.arcsec}
            return self._bodies(lambda: client.query_criteria_async(**where, **criteria))

        return self._rows(self._replies.get("observations", question, ask))

    def products(self, observations: Sequence[str]) -> list[Row]:
        """Return the products of observations.

        Parameters
        ----------
        observations : sequence of str
            Their ``obsid``.

        Returns
        -------
        list of dict
            One for each product of each observation; a file of two observations is there twice.

        Raises
        ------
        ArchiveError
            If MAST gives no whole answer.
        """
        wanted = sorted(set(observations), key=lambda text: (len(text), text))
        rows: list[Row] = []
        for start in range(0, len(wanted), PER_REQUEST):
            some = wanted[start : start + PER_REQUEST]

            def ask(some: list[str] = some) -> list[str]:
                client = self._connect()
                return self._bodies(lambda: client.get_product_list_async(some))

            question = {
                "service": "products", "observations": some, "server": self._endpoints.server
            }  # fmt: skip
            rows += self._rows(self._replies.get("products", question, ask))
        return rows

    def _connect(self) -> Any:
        """Return astroquery's client, with our addresses and our patience."""
        if self._client is None:
            from astroquery.mast import ObservationsClass

            from hst123r.archives.patient_adapter import PatientAdapter

            client = ObservationsClass()
            portal = client._portal_api_connection  # noqa: SLF001  (it has no public setting)
            portal.MAST_REQUEST_URL = self._endpoints.invoke
            portal.COLUMNS_CONFIG_URL = self._endpoints.columns
            portal.TIMEOUT = self._patience.longest_query_s * 2
            # of the class, and so shared with every other server
            portal._column_configs = {}  # noqa: SLF001
            session = portal._session  # noqa: SLF001
            for scheme in ("http://", "https://"):
                session.mount(scheme, PatientAdapter(self._patience, Stop()))
            self._client = client
        return self._client

    def _bodies(self, call: Any) -> list[str]:
        """Call astroquery and return the raw replies; a warning about a criterion is an error."""
        import requests
        from astroquery import exceptions

        with warnings.catch_warnings():
            for kind in (exceptions.InputWarning, exceptions.MaxResultsWarning):
                warnings.simplefilter("error", kind)
            try:
                responses = call()
            except (exceptions.InputWarning, exceptions.MaxResultsWarning) as error:
                text = f"a criterion would be left out: {error}"
                raise ArchiveError(text, where=self._endpoints.server) from error
            except requests.HTTPError as error:
                text = f"the archive answered {error.response.status_code}"
                raise ArchiveError(text, where=self._endpoints.server) from error
            except (
                exceptions.TimeoutError,
                exceptions.RemoteServiceError,
                exceptions.InvalidQueryError,
                requests.RequestException,
            ) as error:
                raise ArchiveError(str(error), where=self._endpoints.server) from error
        bodies = [str(response.text) for response in responses]
        self._rows(bodies)
        return bodies

    def _rows(self, bodies: list[str]) -> list[Row]:
        """Return the rows of some pages, all of them or an error."""
        rows: list[Row] = []
        expected: int | None = None
        for body in bodies:
            page = json.loads(body)
            if not isinstance(page, dict):
                raise ArchiveError(
                    "the archive answered with JSON that is no object",
                    where=self._endpoints.server,
                    hint="Try again later, with `hst123r query RECIPE --renew`",
                )
            if page.get("status") != "COMPLETE":
                reason = page.get("msg") or f"its status is {page.get('status')!r}"
                raise ArchiveError(
                    f"the archive could not answer: {reason}",
                    where=self._endpoints.server,
                    hint="Try again later",
                )
            rows += page.get("data") or []
            expected = (page.get("paging") or {}).get("rowsFiltered", expected)
        if expected is not None and len(rows) != expected:
            raise ArchiveError(
                f"the archive announced {expected} rows and gave {len(rows)}",
                where=self._endpoints.server,
                hint="Try again later",
            )
        return rows
