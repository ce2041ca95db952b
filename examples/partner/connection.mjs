// A partner's back end, as small as it can be: one user's connection to LeadExec.

/** The user ended the connection: offer the button again. */
export class Disconnected extends Error {}

/** LeadExec has a failure of its own: the connection is as it was, so try later. */
export class Unavailable extends Error {}

export class Connection {
  #accessToken = null;

  /** `host` is https://apps.leadexec.net in production. */
  constructor({ host, app, refreshToken }) {
    Object.assign(this, { host, app, refreshToken });
  }

  /** Calls an API; an access token that has expired is replaced, once. */
  async get(path) {
    this.#accessToken ??= await this.#refresh();
    let answer = await this.#call(path);
    if (answer.status === 401) {
      this.#accessToken = await this.#refresh();
      answer = await this.#call(path);
    }
    if (!answer.ok) throw new Unavailable(`${path}: ${answer.status}`);
    return answer.json();
  }

  async disconnect() {
    const token = encodeURIComponent(this.refreshToken);
    this.refreshToken = this.#accessToken = null;
    await fetch(`${this.host}/authorize/disconnectapplicationtoken/${token}`);
  }

  #call(path) {
    return fetch(this.host + path, { headers: { authorization: `Bearer ${this.#accessToken}` } });
  }

  async #refresh() {
    if (this.refreshToken === null) throw new Disconnected('We ended the connection.');
    const token = encodeURIComponent(this.refreshToken);
    const answer = await fetch(`${this.host}/authorize/refreshaccesstoken/${token}?appid=${this.app}`);
    // Whatever is not 200 says nothing of the connection.
    if (answer.status !== 200) throw new Unavailable(`refresh: ${answer.status}`);
    const { valid, authToken, errorMessage } = await answer.json();
    if (!valid) throw new Disconnected(errorMessage);
    return authToken;
  }
}
