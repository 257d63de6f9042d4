// The same phone by SIP.js, unchanged.
import { UserAgent, Registerer, Inviter, SessionState, RegistererState } from 'sip.js';
import { Ear, tone } from './ear.js';

const events = [];
const tell = (what) => events.push(what);
let agent, registerer, session, ear, hum, domain;

const constraints = { audio: true, video: false };
const factory = (stream) => () => Promise.resolve(stream);

function follow(s, direction) {
  session = s;
  tell(`${direction} call`);
  s.delegate = {
    onBye: () => tell('ended by remote: bye'),
    onSessionDescriptionHandler: (sdh) => {
      sdh.peerConnection.addEventListener('track', (e) => {
        ear?.close();
        ear = new Ear(e.streams[0] ?? new MediaStream([e.track]));
      });
    },
  };
  s.stateChange.addListener((state) => {
    if (state === SessionState.Established) tell('confirmed');
    if (state === SessionState.Terminated) tell('terminated');
  });
}

window.client = {
  events,
  async start({ ws, user, password, domain: at }) {
    domain = at;
    agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${domain}`),
      authorizationUsername: user, authorizationPassword: password,
      transportOptions: { server: ws }, logLevel: 'error',
      sessionDescriptionHandlerFactoryOptions: { iceGatheringTimeout: 500, peerConnectionConfiguration: { iceServers: [] } },
      delegate: {
        onConnect: () => tell('connected'),
        onDisconnect: () => tell('disconnected'),
        onInvite: (invitation) => follow(invitation, 'incoming'),
      },
    });
    await agent.start();
    registerer = new Registerer(agent);
    registerer.stateChange.addListener((s) => {
      if (s === RegistererState.Registered) tell('registered');
      if (s === RegistererState.Unregistered) tell('unregistered');
    });
    registerer.register({ requestDelegate: { onReject: (r) => tell(`registration failed: ${r.message.reasonPhrase} ${r.message.statusCode}`) } });
  },
  call(number, hertz) {
    hum = hertz && tone(hertz);
    const s = new Inviter(agent, UserAgent.makeURI(`sip:${number}@${domain}`), { sessionDescriptionHandlerOptions: { constraints } });
    if (hum) agent.configuration.sessionDescriptionHandlerFactory = withMicrophone(agent, hum);
    follow(s, 'outgoing');
    return s.invite({ requestDelegate: { onReject: (r) => tell(`failed by remote: ${r.message.statusCode}`), onAccept: () => tell('accepted'), onProgress: () => tell('progress') } });
  },
  answer(hertz) {
    hum = hertz && tone(hertz);
    if (hum) agent.configuration.sessionDescriptionHandlerFactory = withMicrophone(agent, hum);
    return session.accept({ sessionDescriptionHandlerOptions: { constraints } });
  },
  decline() { return session.reject({ statusCode: 486 }); },
  async key(k, how) {
    if (how === 'info') {
      await session.info({ requestOptions: { body: { contentDisposition: 'render', contentType: 'application/dtmf-relay', content: `Signal=${k}\r\nDuration=160` } } });
    } else if (!session.sessionDescriptionHandler.sendDtmf(k)) throw new Error('the key was not sent');
  },
  hold: () => renegotiate(true),
  resume: () => renegotiate(false),
  restart: () => reinvite({ sessionDescriptionHandlerOptions: { offerOptions: { iceRestart: true } } }),
  hangup() {
    if (session.state === SessionState.Established) return session.bye();
    return session.cancel ? session.cancel() : session.reject();
  },
  unregister: () => registerer.unregister(),
  stop: () => agent.stop(),
  hear: () => ear?.now() ?? { rms: 0, hertz: 0 },
  ice: () => session?.sessionDescriptionHandler?.peerConnection?.iceConnectionState,
  stats: async () => [...(await session.sessionDescriptionHandler.peerConnection.getStats()).values()].filter((r) => /^(inbound-rtp|outbound-rtp|codec|candidate-pair)$/.test(r.type)),
};

function withMicrophone(agent, stream) {
  const make = defaultFactory ??= agent.configuration.sessionDescriptionHandlerFactory;
  return (s, options) => {
    const h = make(s, options);
    h.mediaStreamFactory = factory(stream);
    return h;
  };
}
let defaultFactory;

const reinvite = (options) => new Promise((done, fail) => session.invite({
  ...options, requestDelegate: { onAccept: () => done(), onReject: (r) => fail(new Error(`re-INVITE: ${r.message.statusCode}`)) },
}).catch(fail));

async function renegotiate(hold) {
  session.sessionDescriptionHandlerOptionsReInvite = { hold };
  await reinvite({ sessionDescriptionHandlerOptions: { hold } });
  tell(hold ? 'hold by local' : 'unhold by local');
}
