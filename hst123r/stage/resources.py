"""What a job takes of the machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a job will make and need, as far as it is known before.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image it makes.
    memory_mb : float
        Peak memory, 10^6 bytes.
    disk_mb : float
        Its products on disk.
    scratch_mb : float
        What it needs on disk beside them while it runs.
    refused : str
        Why it must not run, empty where it may.
    """

    shape: tuple[int, int]
    memory_mb: float
    disk_mb: float
    scratch_mb: float
    refused: str = ""

    @property
    def text(self) -> str:
        """One line for people."""
        rows, columns = self.shape
        told = (
            f"{columns} x {rows} pixels, {self.memory_mb:.0f} MB of memory, {self.disk_mb:.0f} MB "
            f"on disk and {self.scratch_mb:.0f} MB more while it runs"
        )
        return told + ("; refused, unless what is made before changes that" if self.refused else "")


@dataclass(frozen=True, slots=True)
class Cores:
    """How many cores a job can use, which decides about nothing but its time.

    Parameters
    ----------
    most : int
        More than these are of no use to it.
    memory_mb : float
        Memory that each beyond the first takes, 10^6 bytes.
    """

    most: int = 1
    memory_mb: float = 0.0
