//! What the integration check says in Spanish.

use super::super::{CheckText, Pattern};
use crate::domain::check::Check;

pub fn check(check: Check) -> CheckText {
    let (title, failed, remedy) = match check {
        Check::ScriptFromIssuer => (
            "El script del botón viene de este servidor",
            "No viene de aquí, o no solo: {}",
            "Carga /js/le-app-button.js con un elemento script, desde la dirección del servidor, y ninguna otra copia.",
        ),
        Check::StylesheetLoaded => (
            "La hoja de estilo del botón se aplica",
            "No se aplica: {}",
            "Enlaza /css/le-app-button.css y da al botón la clase le-app-button.",
        ),
        Check::ButtonKnown => (
            "La página tiene un botón que el servidor conoce",
            "No tiene ninguno: {}",
            "Pon en el elemento del botón el atributo data-btnId con el id de un botón de esta aplicación.",
        ),
        Check::OriginListed => (
            "El origen de la página está registrado para el botón",
            "No está registrado: {}",
            "Añade el esquema, el host y el puerto de la página a los orígenes del botón.",
        ),
        Check::CallbackDefined => (
            "La página define AuthorizeResult",
            "No la define: {}",
            "Define una función global AuthorizeResult. En un módulo, escribe window.AuthorizeResult = ….",
        ),
        Check::CallbackReturns => (
            "AuthorizeResult no lanza excepciones",
            "Lanzó una: {}",
            "Mira valid y error antes que nada del resultado, y no dejes que nada escape de la función.",
        ),
        Check::PolicyFits => (
            "La Content-Security-Policy de la página deja funcionar al botón",
            "Bloquea algo: {}",
            "Permite este servidor en script-src, connect-src y style-src, con data: en style-src para el enlace publicado.",
        ),
        Check::OpenerKept => (
            "La ventana se abre y puede responder a la página",
            "La última no pudo: {}",
            "Deja que el propio clic llegue al botón, y no envíes una Cross-Origin-Opener-Policy más estricta que same-origin-allow-popups; o registra la dirección de la página para volver a ella.",
        ),
        Check::ReturnAddressRegistered => (
            "Una página a la que se vuelve está registrada",
            "Su dirección no lo está: {}",
            "Añade la dirección de la página a las return_urls del botón, sin consulta ni fragmento.",
        ),
        Check::SignInCompleted => (
            "Una persona inició sesión",
            "El último intento falló: {}",
            "Inicia sesión, con el botón o en /oauth/authorize, hasta tener los tokens.",
        ),
        Check::CallbackGotResult => (
            "AuthorizeResult recibió un inicio de sesión",
            "Hubo un resultado y nadie que lo tomara: {}",
            "Inicia sesión en tu página.",
        ),
        Check::DenialHandled => (
            "Se trata una denegación",
            "AuthorizeResult lanzó una excepción tras una denegación: {}",
            "Pulsa Cancelar en el diálogo, o entra como la persona que siempre deniega. La función recibe access_denied.",
        ),
        Check::ClosedPopupHandled => (
            "Se trata una ventana cerrada",
            "La ventana quedó separada, que para la página es lo mismo: {}",
            "Cierra la ventana a la mitad. La función recibe popup_closed; el botón se puede pulsar de nuevo.",
        ),
        Check::ReturningUserSignedIn => (
            "Quien vuelve entra sin hacer clic",
            "La página está en un marco, donde eso no ocurre: {}",
            "Recarga la página tras un inicio de sesión. Se llama a AuthorizeResult con auto: true.",
        ),
        Check::RefreshWorks => (
            "El refresh token da tokens de acceso",
            "La última renovación se rechazó: {}",
            "Llama a /authorize/refreshaccesstoken/{refreshToken}?appid={appId} desde tu servidor.",
        ),
        Check::AppIdRight => (
            "Va con el App ID correcto",
            "No va con él: {}",
            "Envía appid con el id de la aplicación del refresh token, letra por letra.",
        ),
        Check::RefreshInBackEnd => (
            "Los tokens los renueva el servidor, no una página",
            "Lo pidió una página: {}",
            "Lleva la llamada a tu servidor. En una página, quien pueda leerla tiene el App ID, que es lo que impide usar un refresh token robado.",
        ),
        Check::RefreshedOnceAnHour => (
            "Un token se usa durante su hora y luego se renueva",
            "Una conexión se renovó {} veces en una hora",
            "Guarda el token de acceso hasta que esté a punto de caducar, en lugar de renovarlo en cada llamada. Adelanta el reloj una hora para verlo.",
        ),
        Check::ExpiredTokenRefreshed => (
            "Un token caducado se renueva y la llamada se repite",
            "Un token caducado se usó una y otra vez: {}",
            "Ante un 401, renueva una vez y llama de nuevo. Adelanta el reloj una hora, o haz caducar un token, para verlo.",
        ),
        Check::TokensOutOfQueries => (
            "Ningún token ni secreto va en una consulta",
            "Hubo uno: {}",
            "Envía los tokens en la cabecera Authorization y los secretos en el cuerpo: las consultas quedan en los registros de todo el camino.",
        ),
        Check::ScopeSuffices => (
            "Los permisos bastan para las llamadas que se hacen",
            "No bastan: {}",
            "Pide el permiso que necesita la llamada y regístralo para la aplicación.",
        ),
        Check::NoProbing => (
            "Las direcciones con token no se piden por adelantado",
            "Una se pidió: {}",
            "Ni HEAD ni una precarga hacen nada allí. No pongas esa dirección en enlaces ni en lo que los siga.",
        ),
        Check::DisconnectCalled => (
            "Una persona puede desconectarse",
            "El último intento falló: {}",
            "Ofrécelo en tu página y llama a /authorize/disconnectapplicationtoken/{refreshToken}.",
        ),
        Check::DisconnectNamesToken => (
            "La desconexión nombra el refresh token",
            "Se llamó con el evento de un clic: {}",
            "No des la función al clic tal cual: onclick = function () { disconnect(refreshToken); }.",
        ),
        Check::NothingAfterDisconnect => (
            "Tras desconectar no se usa nada",
            "Se volvió a usar un token de esa conexión: {}",
            "Olvida sus tokens al desconectar, también las renovaciones programadas.",
        ),
        Check::RevocationNoticed => (
            "Se nota cuando la persona se desconecta",
            "Los tokens muertos se usaron una y otra vez: {}",
            "Desconecta en la página de la cuenta. Al siguiente rechazo, olvida los tokens y ofrece iniciar sesión de nuevo.",
        ),
        Check::StateSent => (
            "Las peticiones de autorización llevan state",
            "Una no lo llevaba",
            "Envía con cada petición un state nuevo e imposible de adivinar, y compáralo cuando llegue la respuesta.",
        ),
        Check::PkceUsed => (
            "Las peticiones de autorización usan PKCE",
            "Una no tenía code_challenge",
            "Envía code_challenge y code_challenge_method=S256, y el verificador con el código.",
        ),
        Check::VerifierMatches => (
            "El verificador del código es el de la petición",
            "No lo era: {}",
            "Guarda el verificador con el state, para cada petición por separado.",
        ),
        Check::RedirectUriRegistered => (
            "La URI de redirección está registrada y es siempre la misma",
            "No lo era: {}",
            "Regístrala exacta y envía la misma al punto de tokens.",
        ),
        Check::CodeInTime => (
            "Un código se canjea en su minuto",
            "Llegó tarde: {}",
            "Canjea el código en la petición que lo trae, no en una tarea posterior.",
        ),
        Check::CodeOnce => (
            "Un código se canjea una vez",
            "Se presentó de nuevo: {}",
            "No canjees otra vez al recargar o reintentar: eso termina todo lo emitido por el código.",
        ),
        Check::ClientAuthenticates => (
            "El cliente se autentica como está registrado",
            "No lo hace: {}",
            "Usa el método registrado como token_endpoint_auth_method, con el secreto o la clave actual.",
        ),
        Check::NewestRefreshTokenUsed => (
            "Se usa el refresh token más reciente",
            "Volvió uno gastado y terminaron todos: {}",
            "Guarda el refresh token de cada respuesta antes de usar el token de acceso, y deja que renueve un solo proceso a la vez.",
        ),
        Check::TokensRevoked => (
            "Los tokens que ya no hacen falta se revocan",
            "El último intento falló: {}",
            "Cuando alguien cierra sesión o se desconecta, envía el refresh token a /oauth/revoke.",
        ),
        Check::RefusalAccepted => (
            "Un rechazo definitivo se acepta",
            "Un token perdido para siempre se envió una y otra vez: {}",
            "Olvida un token cuando el rechazo dice que su conexión o su concesión ha terminado.",
        ),
        Check::RetryWaits => (
            "Un reintento espera lo que se le pide",
            "Llegó antes de que pasara Retry-After ({} s)",
            "Tras 429 y 503 espera lo que diga Retry-After, y más cada vez.",
        ),
        Check::FaultSurvived => (
            "Se sobrevive a un fallo del servidor",
            "Se intentó de nuevo y falló: {}",
            "Programa un fallo y mira que la llamada se repita.",
        ),
    };
    CheckText { title, failed: Pattern(failed), remedy }
}
