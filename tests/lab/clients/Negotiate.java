import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;

/** Fetches a page as a Java program does, and prints status line, headers and body. */
class Negotiate {
    public static void main(String[] args) throws Exception {
        var connection = (HttpURLConnection) URI.create(args[0]).toURL().openConnection();
        connection.setConnectTimeout(60_000);
        connection.setReadTimeout(60_000);
        int status = connection.getResponseCode();
        System.out.println("HTTP/1.1 " + status);
        for (var header : connection.getHeaderFields().entrySet()) {
            if (header.getKey() != null) {
                for (String value : header.getValue()) {
                    System.out.println(header.getKey() + ": " + value);
                }
            }
        }
        System.out.println();
        System.out.flush();
        InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream();
        if (body != null) {
            body.transferTo(System.out);
        }
        System.out.flush();
    }
}
