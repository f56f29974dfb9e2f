"""Two stages of one's own: one that changes the picture, one that looks at it."""

from __future__ import annotations

from imagelane import Picture, stage

SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))
LAPLACIAN = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]


@stage
def tone(picture: Picture, *, strength: float = 0.5) -> Picture:
    """Warm the picture: 0 leaves it as it is, 1 is sepia."""
    matrix = [
        [strength * value + (1 - strength) * (row == column) for column, value in enumerate(values)]
        for row, values in enumerate(SEPIA)
    ]
    toned = picture.image.extract_band(0, n=3).recomb(matrix)
    return picture.with_image(toned.cast("uchar"))


@stage
def sharpness(picture: Picture) -> dict[str, float]:
    """How strong the edges are: the spread of the Laplacian."""
    grey = picture.image.colourspace("b-w").cast("short")
    return {"sharpness": round(float(grey.conv(LAPLACIAN).deviate()), 3)}
