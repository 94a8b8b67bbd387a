/** Runs asynchronous tasks one after another: an RTCPeerConnection allows one negotiation at a time. */
export class SerialQueue {
  #tail = Promise.resolve();
  #closed = false;

  /** Resolves or rejects with the task's own outcome; a failed task does not stop the ones behind it. */
  run(task) {
    const outcome = this.#tail.then(() => {
      if (this.#closed) throw new Error('closed');
      return task();
    });
    this.#tail = outcome.catch(() => {});
    return outcome;
  }

  /** Tasks that have not started yet reject. */
  close() {
    this.#closed = true;
  }
}
