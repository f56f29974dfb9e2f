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
        text = (HERE / "pipeline.yaml").read_text(encoding="utf-8")
    elif asked.photos.is_dir():
        text = over(NEWS_GALLERY.read_text(encoding="utf-8"), asked.photos.resolve())
    else:
        print(f"PHOTOS={asked.photos} is no folder; name one that holds folders of photographs")
        return 2
    pipeline = folder / "pipeline.yaml"
    pipeline.write_text(text, encoding="utf-8")
    return run(pipeline)


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


def over(pipeline: str, photos: Path) -> str:
    """The pipeline with another folder of photographs."""
    before = "  from: photos/\n"
    if before not in pipeline:
        sys.exit(f"{NEWS_GALLERY} has no line {before.strip()!r} to put the folder in")
    return pipeline.replace(before, f"  from: '{str(photos).replace(chr(39), chr(39) * 2)}/'\n")


def run(pipeline: Path) -> int:
    """Run it, write the report, and say where to look."""
    imagelane = [sys.executable, "-m", "imagelane"]
    code = subprocess.run([*imagelane, "run", str(pipeline)], check=False).returncode
    if code not in {0, 1}:
        return code
    report = pipeline.parent / "report.html"
    written = subprocess.run(
        [*imagelane, "report", "--workspace", str(pipeline.parent), "--output", str(report)],
        check=False,
    ).returncode
    if written:
        return written
    print()
    print(f"Galleries  {pipeline.parent / 'public'}")
    for gallery in sorted((pipeline.parent / "public").iterdir()):
        if not gallery.name.startswith(".") and (gallery / "manifest.json").exists():
            print(f"           {gallery.name}/contact-sheet.jpg")
    print(f"Report     {report}")
    return code


if __name__ == "__main__":
    sys.exit(main())
