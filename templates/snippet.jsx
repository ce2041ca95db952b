import { useEffect, useRef } from "react";

const issuer = {{ snippet.issuer_json() }};

// {{ snippet.text().try_it.snippet_loads }}
function load() {
  const source = issuer + "/js/le-app-button.js";
  if ([...document.scripts].some((script) => script.src === source)) return;
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = issuer + "/css/le-app-button.css";
  const script = document.createElement("script");
  script.async = true;
  script.src = source;
  document.head.append(style, script);
}

// {{ snippet.text().try_it.snippet_callback }}
// {{ snippet.text().try_it.snippet_valid }}
export function LeadExecSignIn({ onResult }) {
  const latest = useRef(onResult);
  latest.current = onResult;

  useEffect(() => {
    window.AuthorizeResult = (result) => latest.current(result);
    load();
    return () => {
      delete window.AuthorizeResult;
    };
  }, []);

  return (
    <button id="leAppButton" className="le-app-button" data-btnid={{ snippet.button_json() }}{% for (name, value) in snippet.attributes() %} {{ name }}="{{ value }}"{% endfor %}>
      {{ snippet.text().try_it.sign_in.action }}
    </button>
  );
}
