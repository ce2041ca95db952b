package partner;

import java.io.IOException;

/** The test itself: an hour after the sign-in the token is refreshed. */
final class Flow {
    private Flow() {}

    static void run(Leadgate leadgate) throws IOException, InterruptedException {
        String signIn = leadgate.allow("ada@acme.test");
        String first = Leadgate.member(signIn, "authToken");
        expect(leadgate.me(first), 200);

        leadgate.advance("1h");
        expect(leadgate.me(first), 401);

        String fresh = leadgate.refresh(Leadgate.member(signIn, "refreshToken"));
        expect(leadgate.me(Leadgate.member(fresh, "authToken")), 200);
    }

    private static void expect(int found, int expected) {
        if (found != expected) throw new AssertionError("/v1/me: " + found + "; expected " + expected);
    }

    /** With a server that runs already, and without JUnit. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        run(new Leadgate(System.getenv("LEADGATE_URL"), System.getenv("LEADGATE_SANDBOX_TOKEN")));
    }
}
