"""The parameters of a recipe's stages, each combination resolved once."""

from __future__ import annotations

from typing import Any

from hst123r.recipe.model import Instance, Recipe
from hst123r.recipe.resolve import Resolved, resolve, variants
from hst123r.stage.contract import Variant


class Resolutions:
    """Resolves the parameters of stages, and keeps what was resolved.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._resolved: dict[tuple[str, str | None, str | None], Resolved] = {}
        self._variants: dict[str, list[tuple[Variant, dict[str, str]]]] = {}
        self._parameters: list[dict[str, Any]] | None = None

    def of(
        self, instance: Instance, detector: str | None = None, filter_name: str | None = None
    ) -> Resolved:
        """Return resolved parameters, each combination resolved once."""
        key = (instance.name, detector, filter_name)
        if key not in self._resolved:
            self._resolved[key] = resolve(instance, detector, filter_name)
        return self._resolved[key]

    def variants(self, instance: Instance) -> list[tuple[Variant, dict[str, str]]]:
        """Return what differs by detector or filter, with origins, found once for each stage."""
        if instance.name not in self._variants:
            self._variants[instance.name] = variants(instance)
        return self._variants[instance.name]

    def parameters(self) -> list[dict[str, Any]]:
        """Return every parameter of every stage with its value and origin, without detectors."""
        if self._parameters is None:
            self._parameters = [
                {
                    "stage": instance.name,
                    "name": name,
                    "value": value,
                    "origin": resolved.origins[name],
                }
                for instance in self.recipe.instances
                for resolved in [self.of(instance)]
                for name, value in resolved.values.items()
            ]
        return self._parameters
