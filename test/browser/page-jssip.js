// A phone by JsSIP, unchanged; window.client is what the test drives.
import JsSIP from 'jssip';
import { Ear, tone } from './ear.js';

const events = [];
const tell = (what) => events.push(what);
let ua, session, held, ear;

function follow(s) {
  session = s;
  tell(`${s.direction} call`);
  s.on('progress', () => tell('progress'));
  s.on('accepted', () => tell('accepted'));
  s.on('confirmed', () => tell('confirmed'));
  s.on('ended', (e) => tell(`ended by ${e.originator}: ${e.cause}`));
  s.on('failed', (e) => tell(`failed by ${e.originator}: ${e.cause}`));
  s.on('hold', (e) => tell(`hold by ${e.originator}`));
  s.on('unhold', (e) => tell(`unhold by ${e.originator}`));
  s.on('icecandidate', (e) => e.ready()); // host candidates suffice
  const hear = (pc) => pc.addEventListener('track', (e) => {
    ear?.close();
    ear = new Ear(e.streams[0] ?? new MediaStream([e.track]));
  });
  if (s.connection) hear(s.connection);
  else s.on('peerconnection', (e) => hear(e.peerconnection));
}

window.client = {
  events,
  start({ ws, user, password, domain }) {
    ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(ws)], uri: `sip:${user}@${domain}`, password, register: true, session_timers: true });
    ua.on('connected', () => tell('connected'));
    ua.on('disconnected', () => tell('disconnected'));
    ua.on('registered', () => tell('registered'));
    ua.on('unregistered', () => tell('unregistered'));
    ua.on('registrationFailed', (e) => tell(`registration failed: ${e.cause} ${e.response?.status_code ?? ''}`));
    ua.on('newRTCSession', (e) => follow(e.session));
    ua.start();
  },
  call(number, hertz) {
    const s = ua.call(number, { mediaConstraints: { audio: true, video: false }, mediaStream: hertz ? tone(hertz) : undefined, pcConfig: { iceServers: [] } });
    return s.id;
  },
  answer(hertz) { session.answer({ mediaStream: hertz ? tone(hertz) : undefined, pcConfig: { iceServers: [] } }); },
  decline() { session.terminate({ status_code: 486 }); },
  key(k, how) { session.sendDTMF(k, { transportType: how === 'info' ? 'INFO' : 'RFC2833' }); },
  hold() { return new Promise((done) => session.hold({}, done)); },
  resume() { return new Promise((done) => session.unhold({}, done)); },
  restart() { return new Promise((done) => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, done)); },
  hangup() { session.terminate(); },
  transfer(number) { session.refer(number); },
  // consult holds the call and makes a second one; join leaves both to each other.
  async consult(number, hertz) {
    await window.client.hold();
    held = session;
    return window.client.call(number, hertz);
  },
  join() { held.refer(session.remote_identity.uri, { replaces: session }); },
  hangupAll() { ua.terminateSessions(); },
  unregister() { ua.unregister({ all: false }); },
  stop() { ua.stop(); },
  hear: () => ear?.now() ?? { rms: 0, hertz: 0 },
  ice: () => session?.connection?.iceConnectionState,
  stats: async () => [...(await session.connection.getStats()).values()].filter((r) => /^(inbound-rtp|outbound-rtp|codec|candidate-pair)$/.test(r.type)),
};
