//! What the button doctor says in Spanish.

use super::super::FindingText;
use crate::domain::doctor::Finding;

pub fn finding(finding: Finding) -> FindingText {
    let (what, remedy) = match finding {
        Finding::NoButton => (
            "El script está aquí, pero nada en la página lleva data-btnid, así que no hay botón que conectar.",
            "Pon en el elemento del botón el atributo data-btnId con el id del botón. No se encuentra dentro de un shadow root ni de un marco. Un botón que se añade después se encuentra cuando aparece.",
        ),
        Finding::EmptyButtonId => (
            "Un botón tiene data-btnid sin valor.",
            "Escribe en él el id del botón: data-btnId=\"btn-…\". Si lo rellena una plantilla, mira qué recibe la plantilla.",
        ),
        Finding::UnknownButton => (
            "El servidor no conoce ningún botón con este id.",
            "Compara el id con el archivo de datos iniciales o con lo que escribe leadgate button list; se compara letra por letra. El App ID no es un id de botón. El diario nombra el id más parecido que existe.",
        ),
        Finding::OriginNotListed => (
            "El botón no puede usarse en esta página: su origen no está entre los orígenes del botón.",
            "Añade el origen de la página al botón, tal como lo escribe el navegador: esquema, host y puerto. http y https, localhost y 127.0.0.1, o dos puertos, son orígenes distintos. El diario nombra el origen registrado más parecido.",
        ),
        Finding::OpaqueOrigin => (
            "Esta página no tiene origen: se abrió desde un archivo, o un sandbox se lo quitó.",
            "Sirve la página por http o https. En un marco con el atributo sandbox, o con la política sandbox, añade allow-same-origin y allow-popups.",
        ),
        Finding::InsecurePage => (
            "Esta página llegó por http desde otra máquina: cualquiera en el camino puede leer los tokens, y los navegadores desactivan funciones.",
            "Usa https o, mientras desarrollas, una página http en localhost.",
        ),
        Finding::Framed => (
            "Esta página está en un marco. Allí funciona el clic, pero no el inicio de sesión automático.",
            "Pon el botón en la propia página si quienes vuelven deben entrar sin hacer clic.",
        ),
        Finding::ScriptTwice => (
            "El script del botón se cargó dos veces en esta página. Solo funciona el primero; no se ha roto nada.",
            "Deja una sola copia del fragmento. A menudo la plantilla y un gestor de etiquetas traen una cada uno.",
        ),
        Finding::ScriptShadowed => (
            "Otra copia del script del botón llegó antes, así que el script de este servidor no hace nada.",
            "Quita la otra: esta página habla con el servidor del que vino el primer script.",
        ),
        Finding::ScriptHost => (
            "El script se cargó desde una dirección distinta de la del servidor, así que la página rechazará sus respuestas.",
            "Cárgalo desde el emisor, la dirección que el servidor escribe cuando está listo, carácter por carácter: localhost no es 127.0.0.1. No lo copies a tu host ni a un paquete.",
        ),
        Finding::ScriptDetached => (
            "El script no encuentra su propio elemento script, así que no puede saber dónde está el servidor.",
            "Cárgalo con un elemento script cuyo src termine en /js/le-app-button.js, no solo con import(), con fetch ni dentro de un paquete.",
        ),
        Finding::StylesheetMissing => (
            "La hoja de estilo del botón no se aplica.",
            "Enlaza /css/le-app-button.css de este servidor y da al botón la clase le-app-button. Sin ella todo funciona, pero el botón no lo parece.",
        ),
        Finding::CspConnect => (
            "La Content-Security-Policy de la página no la deja hablar con este servidor, así que nadie puede iniciar sesión.",
            "Añade el origen de este servidor a connect-src.",
        ),
        Finding::CspScript => (
            "La Content-Security-Policy de la página bloqueó un script en línea y no hay AuthorizeResult: seguramente estaba ahí.",
            "Da al script en línea un nonce o un hash, o pásalo a un archivo.",
        ),
        Finding::CspStyle => (
            "La Content-Security-Policy de la página bloqueó la hoja de estilo del botón.",
            "Añade el origen de este servidor a style-src, y también data: si el enlace tiene la forma publicada.",
        ),
        Finding::OpenerSevered => (
            "La Cross-Origin-Opener-Policy de la página cortó la unión entre la página y la ventana.",
            "Envía same-origin-allow-popups o ninguna. Si ha de ser same-origin, registra la dirección de la página como dirección de retorno del botón.",
        ),
        Finding::PopupBlocked => (
            "El navegador bloqueó la ventana y la dirección de la página no está registrada para volver a ella: no había otro camino.",
            "Deja que el propio clic llegue al botón: una ventana que se abre más tarde, o por script, se bloquea. Registra la dirección de la página, sin consulta ni fragmento, en las return_urls del botón.",
        ),
        Finding::PopupRedirected => (
            "El navegador bloqueó la ventana, así que toda la página fue al diálogo. Vuelve con el resultado.",
            "Deja que el propio clic llegue al botón. Lo que tu página tiene en memoria se pierde por el camino: guárdalo en el evento leappbutton:redirect.",
        ),
        Finding::ReturnNotRegistered => (
            "Toda la página iba a ir al diálogo, pero su dirección no está registrada para volver a ella.",
            "Registra la dirección de la página en las return_urls del botón, sin consulta ni fragmento y exacta: la barra final cuenta. El diario nombra la dirección registrada más parecida.",
        ),
        Finding::NoCallback => (
            "Hubo un resultado y, diez segundos después, aún no había una función global AuthorizeResult a la que dárselo.",
            "Defínela en un script clásico. Una función en un módulo, o dentro de otra función, no es global: escribe window.AuthorizeResult = …. Su nombre lleva A y R mayúsculas.",
        ),
        Finding::CallbackNotFunction => (
            "Hay un AuthorizeResult global, pero no es una función.",
            "Busca otra variable con este nombre, o un elemento con id=\"AuthorizeResult\": los navegadores también lo hacen global.",
        ),
        Finding::CallbackThrew => (
            "AuthorizeResult lanzó una excepción.",
            "El botón sigue funcionando, pero no se hizo lo que a tu función le quedaba por hacer. La consola tiene la excepción. Una causa frecuente: lee refreshToken de un resultado que no es válido.",
        ),
        Finding::DisconnectEvent => (
            "Se llamó a la dirección de desconexión con [object Object] en lugar de un refresh token.",
            "La función se dio a un clic tal cual, y por eso recibió el evento del clic. Escribe onclick = function () { disconnect(refreshToken); }.",
        ),
        Finding::ServerUnreachable => (
            "El servidor no respondió.",
            "Mira si está en marcha, y si el navegador, un proxy o una extensión no deja que la página llegue a él.",
        ),
        Finding::ButtonFound => ("Se encontró un botón y se conectó.", ""),
        Finding::StylesheetLoaded => ("La hoja de estilo se aplica a un botón.", ""),
        Finding::CallbackFound => ("Hay una función global AuthorizeResult.", ""),
        Finding::CallbackValid => ("Se llamó a AuthorizeResult tras un inicio de sesión, y volvió.", ""),
        Finding::CallbackDenied => ("Se llamó a AuthorizeResult tras una denegación, y volvió.", ""),
        Finding::CallbackFailed => ("Se llamó a AuthorizeResult tras otro error, y volvió.", ""),
    };
    FindingText { what, remedy }
}
