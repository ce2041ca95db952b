//! What the integration check looks for: the names of its checks, and how each can come out.

/// Which part of an integration a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// The page that the button is on.
    Page,
    SignIn,
    /// Refreshing and using tokens.
    Tokens,
    Disconnect,
    /// The standard endpoints.
    OAuth,
    /// What happens when something fails.
    Failures,
}

impl Group {
    pub const ALL: [Self; 6] = [Self::Page, Self::SignIn, Self::Tokens, Self::Disconnect, Self::OAuth, Self::Failures];

    pub const fn as_str(self) -> &'static str {
        match self {
            Group::Page => "page",
            Group::SignIn => "sign_in",
            Group::Tokens => "tokens",
            Group::Disconnect => "disconnect",
            Group::OAuth => "oauth",
            Group::Failures => "failures",
        }
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Pass,
    Fail,
    /// Nothing that tells either way has happened yet.
    NotSeen,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::NotSeen => "not_seen",
        }
    }
}

macro_rules! checks {
    ($($group:ident { $($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)? })+) => {
        /// One thing that a correct integration does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Check {
            $($($(#[$doc])* $name,)+)+
        }

        impl Check {
            /// All of them, by group.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$name => $word,)+)+ }
            }

            pub const fn group(self) -> Group {
                match self { $($(Self::$name => Group::$group,)+)+ }
            }
        }
    };
}

checks! {
    Page {
        ScriptFromIssuer = "script_from_issuer",
        StylesheetLoaded = "stylesheet_loaded",
        ButtonKnown = "button_known",
        OriginListed = "origin_listed",
        CallbackDefined = "callback_defined",
        CallbackReturns = "callback_returns",
        PolicyFits = "policy_fits",
        OpenerKept = "opener_kept",
        ReturnAddressRegistered = "return_address_registered",
    }
    SignIn {
        SignInCompleted = "sign_in_completed",
        CallbackGotResult = "callback_got_result",
        DenialHandled = "denial_handled",
        ClosedPopupHandled = "closed_popup_handled",
        ReturningUserSignedIn = "returning_user_signed_in",
    }
    Tokens {
        RefreshWorks = "refresh_works",
        AppIdRight = "app_id_right",
        RefreshInBackEnd = "refresh_in_back_end",
        RefreshedOnceAnHour = "refreshed_once_an_hour",
        ExpiredTokenRefreshed = "expired_token_refreshed",
        TokensOutOfQueries = "tokens_out_of_queries",
        ScopeSuffices = "scope_suffices",
        NoProbing = "no_probing",
    }
    Disconnect {
        DisconnectCalled = "disconnect_called",
        DisconnectNamesToken = "disconnect_names_token",
        NothingAfterDisconnect = "nothing_after_disconnect",
        RevocationNoticed = "revocation_noticed",
    }
    OAuth {
        StateSent = "state_sent",
        PkceUsed = "pkce_used",
        VerifierMatches = "verifier_matches",
        RedirectUriRegistered = "redirect_uri_registered",
        CodeInTime = "code_in_time",
        CodeOnce = "code_once",
        ClientAuthenticates = "client_authenticates",
        NewestRefreshTokenUsed = "newest_refresh_token_used",
        TokensRevoked = "tokens_revoked",
    }
    Failures {
        RefusalAccepted = "refusal_accepted",
        RetryWaits = "retry_waits",
        FaultSurvived = "fault_survived",
    }
}
