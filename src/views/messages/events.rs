//! What events of the log are called.

use super::Lang;
use crate::domain::event::Action;

/// What was done, for people: the log's line, and the word that something was just done.
#[must_use]
pub const fn done(lang: Lang, action: Action) -> &'static str {
    let (en, es) = match action {
        Action::AccountCreated => ("Account created", "Cuenta creada"),
        Action::AccountChanged => ("Account changed", "Cuenta cambiada"),
        Action::AccountDeleted => ("Account deleted", "Cuenta eliminada"),
        Action::AppCreated => ("Application created", "Aplicación creada"),
        Action::AppChanged => ("Application changed", "Aplicación cambiada"),
        Action::AppDeleted => ("Application deleted", "Aplicación eliminada"),
        Action::AppDisabled => ("Application disabled", "Aplicación desactivada"),
        Action::AppEnabled => ("Application enabled", "Aplicación activada"),
        Action::AppLogoSet => ("Logo set", "Logotipo puesto"),
        Action::AppLogoRemoved => ("Logo removed", "Logotipo quitado"),
        Action::AppCallbackSet => ("Call-back set", "Retrollamada puesta"),
        Action::AppCallbackRemoved => ("Call-back removed", "Retrollamada quitada"),
        Action::AppCallbackTested => ("Call-back tested", "Retrollamada probada"),
        Action::AppCallbackSecretRotated => ("Call-back's secret rotated", "Secreto de la retrollamada rotado"),
        Action::AppSecretRotated => ("Client secret rotated", "Secreto del cliente rotado"),
        Action::AppSecretRevoked => ("Old client secret revoked", "Secreto anterior del cliente revocado"),
        Action::ButtonCreated => ("Button created", "Botón creado"),
        Action::ButtonChanged => ("Button changed", "Botón cambiado"),
        Action::ButtonDeleted => ("Button deleted", "Botón eliminado"),
        Action::ConnectionCreated => ("Application connected", "Aplicación conectada"),
        Action::ConnectionWidened => ("More allowed to an application", "Más permisos para una aplicación"),
        Action::ConnectionEnded => ("Connection ended", "Conexión terminada"),
        Action::DeliveryCreated => ("Delivery created", "Entrega creada"),
        Action::DeliveryChanged => ("Delivery changed", "Entrega cambiada"),
        Action::DeliveryDeleted => ("Delivery deleted", "Entrega eliminada"),
        Action::DeliveryTested => ("Test lead sent", "Lead de prueba enviado"),
        Action::KeysRotated => ("Signing key rotated", "Clave de firma rotada"),
        Action::LeadsDeleted => ("Leads deleted", "Leads eliminados"),
        Action::RegistrationTokenCreated => ("Registration token created", "Token de registro creado"),
        Action::SessionOpened => ("Signed in", "Sesión iniciada"),
        Action::SessionRefused => ("Sign-in refused", "Inicio de sesión rechazado"),
        Action::SessionEnded => ("Session ended", "Sesión terminada"),
        Action::SessionsEnded => ("All sessions ended", "Todas las sesiones terminadas"),
        Action::UserInvited => ("User invited", "Usuario invitado"),
        Action::UserInvitationRevoked => ("Invitation revoked", "Invitación revocada"),
        Action::UserSignedUp => ("Signed up", "Registro completado"),
        Action::UserCreated => ("User created", "Usuario creado"),
        Action::UserChanged => ("User changed", "Usuario cambiado"),
        Action::UserDeleted => ("User deleted", "Usuario eliminado"),
        Action::UserDisabled => ("User disabled", "Usuario desactivado"),
        Action::UserEnabled => ("User enabled", "Usuario activado"),
        Action::UserPasswordChanged => ("Password changed", "Contraseña cambiada"),
        Action::UserResetOffered => ("Password reset offered", "Restablecimiento de contraseña ofrecido"),
        Action::UserExported => ("Own data exported", "Datos propios exportados"),
        Action::WebhookCreated => ("Webhook created", "Webhook creado"),
        Action::WebhookChanged => ("Webhook changed", "Webhook cambiado"),
        Action::WebhookDeleted => ("Webhook deleted", "Webhook eliminado"),
        Action::WebhookSecretRotated => ("Webhook secret rotated", "Secreto del webhook rotado"),
        Action::WebhookTested => ("Webhook tested", "Webhook probado"),
        Action::WebhookReplayed => ("Webhook messages sent again", "Mensajes del webhook enviados de nuevo"),
        Action::WorldReset => ("World reset", "Mundo restablecido"),
        Action::WorldRestored => ("Snapshot restored", "Instantánea restaurada"),
        Action::WorldSeeded => ("Seed applied", "Semilla aplicada"),
    };
    match lang {
        Lang::En => en,
        Lang::Es => es,
    }
}
