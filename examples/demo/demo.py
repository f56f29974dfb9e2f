"""Run the main job on real photographs and say where to look: ``make demo``."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NEWS_GALLERY = HERE.parent / "news-gallery" / "pipeline.yaml"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("demo"), help="where everything goes")
    parser.add_argument(
        "--photos", type=Path, help="a folder of your own: each folder in it a gallery"
    )
    asked = parser.parse_args()
    folder: Path = asked.into.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if asked.photos is None:
        collect(folder / "photos")
        return run(HERE / "pipeline.yaml", folder)
    if not asked.photos.is_dir():
        print(f"PHOTOS={asked.photos} is no folder; name one that holds folders of photographs")
        return 2
    return run(NEWS_GALLERY, folder, "--from", str(asked.photos.resolve()))


def collect(photos: Path) -> None:
    """Copy the photographs out of their packages, and write the manifest beside them."""
    photos.mkdir(parents=True, exist_ok=True)
    with (HERE / "photographs.csv").open(encoding="utf-8", newline="") as listed:
        rows = list(csv.DictReader(listed))
    with (photos / "photographs.csv").open("w", encoding="utf-8", newline="") as manifest:
        writer = csv.writer(manifest)
        writer.writerow(["path", "gallery", "title", "credit", "licence"])
        for row in rows:
            source = home_of(row["package"]) / row["file"]
            shutil.copyfile(source, photos / source.name)
            writer.writerow(
                [source.name, *(row[k] for k in ("gallery", "title", "credit", "licence"))]
            )


def home_of(package: str) -> Path:
    """The folder of an installed package; the package itself is not imported."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        sys.exit(f"{package} is not installed: run `make demo`, which installs it")
    return Path(found.origin).parent


def run(declared: Path, folder: Path, *options: str) -> int:
    """Run a copy of the pipeline, write the report, and say where to look."""
    pipeline = folder / "pipeline.yaml"
    shutil.copyfile(declared, pipeline)
    imagelane = [sys.executable, "-m", "imagelane"]
    code = subprocess.run([*imagelane, "run", str(pipeline), *options], check=False).returncode
    # 1: finished with losses. In a folder of one's own there may be a file that is no photograph.
    if code not in {0, 1}:
        return code
    report = folder / "report.html"
    workspace = folder / ".imagelane"
    written = subprocess.run(
        [*imagelane, "report", "--workspace", str(workspace), "--out", str(report)],
        stdout=subprocess.DEVNULL,
        check=False,
    ).returncode
    if written:
        return written
    print("\nGalleries")
    for gallery in sorted((folder / "public").iterdir()):
        if (gallery / "manifest.json").exists() and not gallery.name.startswith("."):
            print(f"  {gallery / 'contact-sheet.jpg'}")
    print(f"Report\n  {report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
