// Put into each page of the console before its own code: it listens to what
// connections and players bring, and keeps the time of a click.
import { Ear } from './ear.js';

let ear;
let begun = 0;
let heard = 0;
const Native = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Native {
  constructor(...arg) {
    super(...arg);
    this.addEventListener('track', (e) => {
      ear?.close();
      ear = new Ear(e.streams[0] ?? new MediaStream([e.track]));
    });
  }
};
const players = [];
const make = document.createElement.bind(document);
document.createElement = (name, ...rest) => {
  const e = make(name, ...rest);
  if (/^(audio|video)$/i.test(name)) players.push(e);
  return e;
};
const NativeAudio = window.Audio;
window.Audio = function (...arg) {
  const a = new NativeAudio(...arg);
  players.push(a);
  return a;
};
setInterval(() => {
  if (begun && !heard && ear && ear.now().rms > 0.01) heard = performance.now();
}, 10);

window.ozEar = {
  now: () => ear?.now() ?? { rms: 0, hertz: 0 },
  mark: () => { begun = performance.now(); heard = 0; },
  since: () => heard - begun,
  playing: () => [...players, ...document.querySelectorAll('audio')].some((a) => !a.paused && a.currentTime > 0),
};
