// An ear listens to a stream in the page: its level and its strongest tone.
export class Ear {
  constructor(stream) {
    this.context = new AudioContext();
    // Chromium gives a remote stream to Web Audio only while an element plays it.
    this.element = new Audio();
    this.element.srcObject = stream;
    this.element.muted = true;
    this.element.play().catch(() => {});
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 4096;
    this.analyser.smoothingTimeConstant = 0;
    this.context.createMediaStreamSource(stream).connect(this.analyser);
  }

  // now is what sounds at this moment: rms of full scale, and hertz.
  now() {
    const wave = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(wave);
    const bins = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(bins);
    let best = 0;
    for (let i = 1; i < bins.length; i++) if (bins[i] > bins[best]) best = i;
    const rms = Math.sqrt(wave.reduce((s, v) => s + v * v, 0) / wave.length);
    return { rms, hertz: (best * this.context.sampleRate) / this.analyser.fftSize };
  }

  close() {
    this.element.srcObject = null;
    this.context.close();
  }
}

// tone is a microphone that hums: no device, no permission.
export function tone(hertz) {
  const context = new AudioContext();
  const o = context.createOscillator();
  o.frequency.value = hertz;
  const gain = context.createGain();
  gain.gain.value = 0.3;
  const out = context.createMediaStreamDestination();
  o.connect(gain).connect(out);
  o.start();
  return out.stream;
}
