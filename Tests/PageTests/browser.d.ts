// What browsers have and the compiler's library, which may be an older one, does not describe.

interface DisplayMediaStreamConstraints {
  systemAudio?: 'include' | 'exclude';
}

interface HTMLMediaElement {
  setSinkId?(id: string): Promise<void>;
}

interface ParentNode {
  /** Moves a child with its state, where a browser can. */
  moveBefore?(child: Node, before: Node | null): void;
}

interface Navigator {
  readonly wakeLock?: { request(type: 'screen'): Promise<any> };
}

interface Window {
  /** What tests look at. */
  roundhouse?: any;
}
