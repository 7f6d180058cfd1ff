/** Regions that are left out, drawn on a picture: greyed and hatched, so that nobody takes the missing overlay for "nothing found". */

const STEP_PX = 9;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {readonly {x: number, y: number, width: number, height: number}[]} boxes in pixels of the picture
 * @param {{width: number, height: number}} size of the picture
 * @param {{x: number, y: number, width: number, height: number}} place where the picture is drawn
 * @param {number} [unit] width of a line
 */
export function drawHatched(context, boxes, size, place, unit = 1) {
  const [sx, sy] = [place.width / size.width, place.height / size.height];
  for (const box of boxes) {
    const [x, y, width, height] = [place.x + box.x * sx, place.y + box.y * sy, box.width * sx, box.height * sy];
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.fillStyle = "rgb(11 14 18 / 0.55)";
    context.fill();
    context.clip();
    context.strokeStyle = "rgb(230 235 240 / 0.55)";
    context.lineWidth = unit;
    context.beginPath();
    for (let at = x - height; at < x + width; at += STEP_PX * unit) {
      context.moveTo(at, y + height);
      context.lineTo(at + height, y);
    }
    context.stroke();
    context.restore();
    context.strokeStyle = "rgb(230 235 240 / 0.8)";
    context.lineWidth = unit;
    context.strokeRect(x, y, width, height);
  }
}
