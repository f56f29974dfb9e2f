// sharp as a Node service would use it: one decode an image, sizes cascaded, two images at once.
//
//     node sharp_fused.mjs PHOTOS OUT [AT ONCE]
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";

const WIDTHS = [1280, 640, 256];
const MARKED = 1600;
const QUALITY = 82;
const TEXT = "© Harbour Gazette";

const [photos, out, atOnce = "2"] = process.argv.slice(2);
sharp.concurrency(1); // threads within an image; the images are what runs side by side
sharp.cache(false);

const raw = (info) => ({ raw: { width: info.width, height: info.height, channels: info.channels } });

async function work(name) {
  const stem = path.join(out, name.replace(/\.jpg$/, ""));
  await mkdir(path.dirname(stem), { recursive: true });
  const largest = await sharp(path.join(photos, name))
    .rotate()
    .resize({ width: MARKED, withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  let picture = largest;
  const own = largest.info.width;
  // Those below its own, and one that gives its own: none is made twice.
  const beyond = WIDTHS.filter((width) => width >= own).slice(-1);
  for (const width of [...beyond, ...WIDTHS.filter((width) => width < own)]) {
    picture = await sharp(picture.data, raw(picture.info))
      .resize({ width, withoutEnlargement: true })
      .raw()
      .toBuffer({ resolveWithObject: true });
    await sharp(picture.data, raw(picture.info))
      .jpeg({ quality: QUALITY })
      .toFile(`${stem}-${width}.jpg`);
  }
  const height = Math.max(8, Math.round(own * 0.03));
  const margin = Math.round(own * 0.02);
  const mark = Buffer.from(
    `<svg width="${own}" height="${height * 2 + margin}">` +
      `<text x="${own - margin}" y="${height * 1.5}" text-anchor="end" ` +
      `font-family="sans-serif" font-size="${height}" fill="white" fill-opacity="0.7">${TEXT}</text></svg>`,
  );
  await sharp(largest.data, raw(largest.info))
    .composite([{ input: mark, gravity: "south" }])
    .jpeg({ quality: QUALITY })
    .toFile(`${stem}-marked.jpg`);
}

const names = (await readdir(photos, { recursive: true })).filter((name) => name.endsWith(".jpg"));
names.sort();
const lanes = Array.from({ length: Number(atOnce) }, async () => {
  for (let name = names.shift(); name !== undefined; name = names.shift()) await work(name);
});
await Promise.all(lanes);
