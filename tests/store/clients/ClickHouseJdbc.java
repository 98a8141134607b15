import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/** What DBeaver and Metabase do with ClickHouse's JDBC driver, with its default settings. */
public class ClickHouseJdbc {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        if (arguments.length > 1) {
            properties.setProperty("user", arguments[1]);
            properties.setProperty("password", arguments[2]);
        }
        try (Connection connection = DriverManager.getConnection(arguments[0], properties);
                Statement statement = connection.createStatement()) {
            System.out.println(connection.getMetaData().getDatabaseProductVersion());
            statement.execute("CREATE OR REPLACE TABLE default.from_java (n Int64, s LowCardinality(String), "
                    + "t DateTime64(3, 'UTC'), a Array(Nullable(String))) ENGINE = MergeTree ORDER BY n");
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO default.from_java (n, s) VALUES (?, ?)")) {
                for (long n = 0; n < 1000; n++) {
                    insert.setLong(1, n);
                    insert.setString(2, "it's " + n % 7);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            long sum = 0;
            int count = 0;
            try (ResultSet rows = statement.executeQuery("SELECT n, s, t, a FROM default.from_java ORDER BY n")) {
                while (rows.next()) {
                    if (!rows.getString("s").equals("it's " + rows.getLong("n") % 7)) {
                        throw new IllegalStateException("a row is not as it was sent: " + rows.getString("s"));
                    }
                    sum += rows.getLong(1);
                    count++;
                }
            }
            System.out.println(count + " " + sum);
            try (ResultSet tables = connection.getMetaData().getTables(null, "default", "from_java", null)) {
                System.out.println(tables.next());
            }
            try (ResultSet columns = connection.getMetaData().getColumns(null, "default", "from_java", null)) {
                int found = 0;
                while (columns.next()) {
                    found++;
                }
                System.out.println(found);
            }
            try {
                statement.executeQuery("SELECT nothing FROM default.from_java");
            } catch (SQLException refused) {
                System.out.println(refused.getMessage().contains("nothing"));
            }
        }
    }
}
