"use strict";
// Crops out of sheets, in the order in which sprites.py puts them together. What has `side` and
// `columns` here is the part of a page's data that says how large the crops of a sheet are.
const OUTLINES = { 1: [0xe6, 0x9f, 0x00], 2: [0x56, 0xb4, 0xe9] }; // grey value: cell, nucleus

function loadSheet(source) {
  const image = new Image();
  image.src = source;
  return image.decode().then(() => image);
}

// A canvas for the crop and one above it for its outlines.
function cropStack() {
  const stack = document.createElement("div");
  const crop = document.createElement("canvas");
  const lines = document.createElement("canvas");
  stack.className = "stack";
  stack.append(crop, lines);
  return { stack, crop, lines };
}

function drawCrop(canvas, sheet, number, { side, columns }) {
  if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side;
  const drawn = canvas.getContext("2d", { willReadFrequently: true });
  const [left, top] = [(number % columns) * side, Math.floor(number / columns) * side];
  drawn.clearRect(0, 0, side, side);
  drawn.drawImage(sheet, left, top, side, side, 0, 0, side, side);
  return drawn;
}

function drawOutlines(canvas, sheet, number, size) {
  const drawn = drawCrop(canvas, sheet, number, size);
  const pixels = drawn.getImageData(0, 0, size.side, size.side);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const colour = OUTLINES[pixels.data[i]];
    pixels.data.set(colour ? [...colour, 255] : [0, 0, 0, 0], i);
  }
  drawn.putImageData(pixels, 0, 0);
}
