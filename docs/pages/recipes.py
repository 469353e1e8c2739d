"""The page of the recipes that ship, with their text."""

from __future__ import annotations

from hst123r.recipe.load import load
from hst123r.resources import shipped_recipes
from pages.markdown import block, code, page, text


def pages() -> dict[str, str]:
    """Return the page by its path in the documentation."""
    parts: list[str] = []
    for name, path in shipped_recipes().items():
        recipe = load(path)
        parts += [
            f"## {name}",
            f"{text(recipe.head.title or name)}. Run it with {code(f'hst123r run {name}')}.",
            block(recipe.text, "yaml"),
        ]
    lead = (
        "They come with the package and run by name from any folder. To change one, copy its text "
        "into a file of your own, or use `--set`."
    )
    return {"reference/recipes.md": page("Recipes that ship", lead, *parts)}
