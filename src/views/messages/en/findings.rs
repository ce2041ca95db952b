//! What the button doctor says in English.

use super::super::FindingText;
use crate::domain::doctor::Finding;

pub fn finding(finding: Finding) -> FindingText {
    let (what, remedy) = match finding {
        Finding::NoButton => (
            "The script is here, but nothing on the page carries data-btnid, so there is no button to wire.",
            "Give the button element the attribute data-btnId with the button's id. An element inside a shadow root or a frame is not found. A button that is added later is found when it is there.",
        ),
        Finding::EmptyButtonId => (
            "A button has data-btnid without a value.",
            "Write the button's id into it: data-btnId=\"btn-…\". Where a template fills it in, look at what the template gets.",
        ),
        Finding::UnknownButton => (
            "The server knows no button with this id.",
            "Compare the id with the seed file or with what leadgate button list prints; ids are compared letter by letter. The App ID is not a button id. The journal names the nearest id that there is.",
        ),
        Finding::OriginNotListed => (
            "The button may not be used on this page: the page's origin is not among the button's origins.",
            "Add the page's origin to the button, exactly as the browser writes it: scheme, host and port. http and https, localhost and 127.0.0.1, and two ports are different origins. The journal names the listed origin that is nearest.",
        ),
        Finding::OpaqueOrigin => (
            "This page has no origin: it was opened from a file, or a sandbox took its origin away.",
            "Serve the page over http or https. In a frame with a sandbox attribute, or with the policy sandbox, add allow-same-origin and allow-popups.",
        ),
        Finding::InsecurePage => (
            "This page came over plain http from another machine, so everybody on the way can read the tokens, and browsers switch features off.",
            "Use https, or, while you develop, an http page on localhost.",
        ),
        Finding::Framed => (
            "This page is in a frame. A click works there, automatic sign-in does not.",
            "Put the button on the page itself if returning users are to be signed in without a click.",
        ),
        Finding::ScriptTwice => (
            "The button's script was loaded twice on this page. Only the first one works; nothing is broken.",
            "Keep one copy of the snippet. Often a template and a tag manager each bring one.",
        ),
        Finding::ScriptShadowed => (
            "Another copy of the button's script was here first, so this server's script does nothing.",
            "Take the other one away: this page talks to the server that the first script came from.",
        ),
        Finding::ScriptHost => (
            "The script was loaded from another address than the one the server goes by, so the page will refuse its answers.",
            "Load it from the issuer, the address that the server prints when it is ready, character for character: localhost is not 127.0.0.1. Do not copy it to your own host or into a bundle.",
        ),
        Finding::ScriptDetached => (
            "The script cannot find its own script element, and so cannot know where the server is.",
            "Load it with a script element whose src ends with /js/le-app-button.js, not by import() alone, by fetch or in a bundle.",
        ),
        Finding::StylesheetMissing => (
            "The button's stylesheet does not apply.",
            "Link /css/le-app-button.css of this server, and give the button the class le-app-button. Without it everything works, but the button does not look like one.",
        ),
        Finding::CspConnect => (
            "The page's Content-Security-Policy does not let it talk to this server, so nobody can sign in.",
            "Add this server's origin to connect-src.",
        ),
        Finding::CspScript => (
            "The page's Content-Security-Policy blocked an inline script, and there is no AuthorizeResult: it was probably in there.",
            "Give the inline script a nonce or a hash, or move it into a file.",
        ),
        Finding::CspStyle => (
            "The page's Content-Security-Policy blocked the button's stylesheet.",
            "Add this server's origin to style-src, and data: as well where the link has the published form.",
        ),
        Finding::OpenerSevered => (
            "The page's Cross-Origin-Opener-Policy cut the tie between the page and the pop-up.",
            "Send same-origin-allow-popups, or no such header. Where it has to be same-origin, register the page's address as a return address of the button.",
        ),
        Finding::PopupBlocked => (
            "The browser blocked the pop-up, and the page's address is not registered to return to, so there was no other way.",
            "Let the click itself reach the button: a pop-up that is opened later, or by script, is blocked. Register the page's address, without query and fragment, among the button's return_urls.",
        ),
        Finding::PopupRedirected => (
            "The browser blocked the pop-up, so the whole page went to the dialog. It comes back with the result.",
            "Let the click itself reach the button. What your page has in memory is lost on the way: save it at the event leappbutton:redirect.",
        ),
        Finding::ReturnNotRegistered => (
            "The whole page was to go to the dialog, but its address is not registered to return to.",
            "Register the page's address among the button's return_urls, without query and fragment, and exactly: a slash at the end counts. The journal names the registered address that is nearest.",
        ),
        Finding::NoCallback => (
            "There was a result, and ten seconds later still no global function AuthorizeResult to give it to.",
            "Define it in a classic script. A function in a module, or inside another function, is not global: write window.AuthorizeResult = …. Its name is written with a capital A and R.",
        ),
        Finding::CallbackNotFunction => (
            "There is a global AuthorizeResult, but it is no function.",
            "Look for another variable of this name, and for an element with id=\"AuthorizeResult\": browsers make that a global, too.",
        ),
        Finding::CallbackThrew => (
            "AuthorizeResult threw an exception.",
            "The button goes on working, but what your function had yet to do was not done. The console has the exception itself. A frequent cause: it reads refreshToken of a result that is not valid.",
        ),
        Finding::DisconnectEvent => (
            "The disconnect address was called with [object Object] in place of a refresh token.",
            "The function was given to a click as it is, and so was called with the click's event. Write onclick = function () { disconnect(refreshToken); }.",
        ),
        Finding::ServerUnreachable => (
            "The server did not answer.",
            "See whether it is running, and whether the browser, a proxy or an extension keeps the page from it.",
        ),
        Finding::ButtonFound => ("A button was found and wired.", ""),
        Finding::StylesheetLoaded => ("The stylesheet applies to a button.", ""),
        Finding::CallbackFound => ("There is a global function AuthorizeResult.", ""),
        Finding::CallbackValid => ("AuthorizeResult was called after a sign-in, and returned.", ""),
        Finding::CallbackDenied => ("AuthorizeResult was called after access was refused, and returned.", ""),
        Finding::CallbackFailed => ("AuthorizeResult was called after another error, and returned.", ""),
    };
    FindingText { what, remedy }
}
