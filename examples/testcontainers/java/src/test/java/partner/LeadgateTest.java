package partner;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

class LeadgateTest {
    @Test
    void anHourAfterTheSignInTheTokenIsRefreshed() throws Exception {
        String running = System.getenv("LEADGATE_URL");
        if (running != null) {
            Flow.run(new Leadgate(running, System.getenv("LEADGATE_SANDBOX_TOKEN")));
            return;
        }
        int port = freePort();
        String url = "http://localhost:" + port;
        String token = UUID.randomUUID().toString();
        String image = System.getenv().getOrDefault("LEADGATE_TEST_IMAGE", "leadgate");
        try (GenericContainer<?> container = new GenericContainer<>(image)) {
            container.withExposedPorts(8080)
                    .withEnv(Map.of(
                            "LEADGATE_ISSUER", url,
                            "LEADGATE_MODE", "sandbox",
                            "LEADGATE_SANDBOX_TOKEN", token,
                            "LEADGATE_DATABASE_URL", "sqlite::memory:"))
                    .waitingFor(Wait.forHttp("/readyz").forPort(8080))
                    .setPortBindings(List.of(port + ":8080"));
            container.start();
            Flow.run(new Leadgate(url, token));
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0)) {
            return probe.getLocalPort();
        }
    }
}
