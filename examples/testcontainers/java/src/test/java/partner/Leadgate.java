package partner;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Pattern;

/** Talks to a Leadgate that runs; with the JDK alone. */
final class Leadgate {
    static final String APP = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";

    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;
    private final String sandboxToken;

    Leadgate(String url, String sandboxToken) {
        this.url = url;
        this.sandboxToken = sandboxToken;
    }

    /** The answer to a click on the demonstration's button, as JSON. */
    String allow(String user) throws IOException, InterruptedException {
        return sandbox("/authorize", "{\"user\":\"" + user + "\",\"button\":\"btn-demonstration\",\"decision\":\"allow\"}");
    }

    /** Lets time pass, {@code 1h} for instance. */
    void advance(String span) throws IOException, InterruptedException {
        sandbox("/clock", "{\"advance\":\"" + span + "\"}");
    }

    /** The answer to a refresh, as JSON. */
    String refresh(String refreshToken) throws IOException, InterruptedException {
        var request = request("/authorize/refreshaccesstoken/" + refreshToken + "?appid=" + APP).GET().build();
        return http.send(request, BodyHandlers.ofString()).body();
    }

    /** The status of a call with the token. */
    int me(String accessToken) throws IOException, InterruptedException {
        var request = request("/v1/me").header("Authorization", "Bearer " + accessToken).GET().build();
        return http.send(request, BodyHandlers.discarding()).statusCode();
    }

    /** A text out of a flat JSON object; a project has a JSON library for that. */
    static String member(String json, String name) {
        var found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) throw new IllegalStateException("no " + name + " in the answer");
        return found.group(1);
    }

    private String sandbox(String path, String body) throws IOException, InterruptedException {
        var request = request("/_sandbox" + path)
                .header("Authorization", "Bearer " + sandboxToken)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IOException(path + ": " + answer.statusCode() + " " + answer.body());
        return answer.body();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url + path));
    }
}
