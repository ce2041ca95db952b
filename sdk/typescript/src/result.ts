/** Why `AuthorizeResult` was not given tokens. What each comes from is in docs/errors.md. */
export type AuthorizeErrorCode =
  | 'access_denied'
  | 'popup_closed'
  | 'popup_blocked'
  | 'popup_timeout'
  | 'popup_severed'
  | 'origin_not_allowed'
  | 'invalid_button'
  | 'return_not_registered'
  | 'invalid_grant'
  | 'network_error'
  | 'server_error'
  | 'rate_limited';

export interface AuthorizeSuccess {
  valid: true;
  error: null;
  errorMessage: null;
  /** For the back end, which keeps it as it would keep a password. */
  refreshToken: string;
  /** The access token. */
  authToken: string;
  /** When `authToken` expires: RFC 3339, UTC. */
  expireDate: string;
  buttonId: string;
  /** Whether no click was needed. */
  auto: boolean;
}

export interface AuthorizeFailure {
  valid: false;
  error: AuthorizeErrorCode;
  /** A sentence for people, whose wording may change. */
  errorMessage: string;
  refreshToken: null;
  authToken: null;
  expireDate: null;
  buttonId: string;
  auto: boolean;
}

/** What a page's function `AuthorizeResult` is called with: always these eight keys. `valid` tells the two apart. */
export type AuthorizeResult = AuthorizeSuccess | AuthorizeFailure;

/** What `GET /authorize/refreshaccesstoken/…` answers. */
export type RefreshAnswer =
  | { valid: true; refreshToken: string; authToken: string; expireDate: string; errorMessage: null }
  | { valid: false; refreshToken: string; authToken: null; expireDate: null; errorMessage: string };

/** What `GET /authorize/disconnectapplicationtoken/…` answers. */
export type DisconnectAnswer = { valid: true; errorMessage: null } | { valid: false; errorMessage: string };

/** What `GET /v1/me` answers. */
export interface Me {
  user: { id: string; email: string; name: string; role: string } | null;
  account: { id: string; name: string } | null;
  app: { id: string };
  scopes: string[];
  expiresAt: string;
}
