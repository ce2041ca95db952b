// {{ snippet.text().try_it.snippet_loads }}
(function (page) {
  var issuer = {{ snippet.issuer_json() }};

  var button = page.createElement("button");
  button.id = "leAppButton";
  button.className = "le-app-button";
  button.setAttribute("data-btnid", {{ snippet.button_json() }});
{%- for (name, value) in snippet.attributes() %}
  button.setAttribute("{{ name }}", "{{ value }}");
{%- endfor %}
  button.textContent = {{ snippet.label_json() }};
  page.body.appendChild(button);

  var style = page.createElement("link");
  style.rel = "stylesheet";
  style.href = issuer + "/css/le-app-button.css";
  page.head.appendChild(style);

  var script = page.createElement("script");
  script.async = true;
  script.src = issuer + "/js/le-app-button.js";
  page.head.appendChild(script);

  // {{ snippet.text().try_it.snippet_callback }}
  window.AuthorizeResult = function (result) {
    if (result.valid) {
      button.style.display = "none";
      // {{ snippet.text().try_it.snippet_valid }}
      console.log(result.refreshToken);
    } else {
      console.log(result.error + ": " + result.errorMessage);
    }
  };
})(document);
