// The bytes of a packed part of the page (deflate, as base64).
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer());
}
let WEIGHTS;
const ready = (async () => {
  const planes = await unpacked('weights'), n = planes.length / 4;
  WEIGHTS = new Float32Array(Uint8Array.from(planes, (_, i) => planes[i % 4 * n + (i >> 2)]).buffer);
  const script = document.createElement('script');
  script.textContent = new TextDecoder().decode(await unpacked('packed'));
  document.body.append(script);
})();
ready.catch(() => document.getElementById('doubts').textContent = 'this browser is too old for this page');
