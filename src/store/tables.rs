//! The world as a whole: each table that the database's own catalogue has, but for those that outlive a reset. From it come
//! the statements that empty, copy and restore a world; no row passes through this process.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;

use super::Dialect;
use super::conn::{Conn, Driver, execute};
use super::error::StoreError;
use super::sqlite;

/// What belongs to the server and not to the world that it serves: a reset leaves it, a snapshot does not have it.
/// The event log among it: who could empty that could do things unseen.
pub const EXEMPT: [&str; 6] = ["_sqlx_migrations", "events", "keys", "namespaces", "snapshot_rows", "snapshots"];

/// Each column of each table: `(table, column, type)`.
pub(super) const COLUMNS_ON_SQLITE: &str = "\
SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c \
WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' ORDER BY m.name, c.cid";
pub(super) const COLUMNS_ON_POSTGRES: &str = "\
SELECT CAST(t.relname AS TEXT), CAST(c.attname AS TEXT), format_type(c.atttypid, NULL) \
FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_attribute c ON c.attrelid = t.oid \
WHERE n.nspname = current_schema() AND t.relkind = 'r' AND c.attnum > 0 AND NOT c.attisdropped \
ORDER BY t.relname, c.attnum";
/// Each reference: `(table, the one that it refers to)`.
pub(super) const REFERENCES_ON_SQLITE: &str = "\
SELECT m.name, f.\"table\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
pub(super) const REFERENCES_ON_POSTGRES: &str = "\
SELECT CAST(t.relname AS TEXT), CAST(r.relname AS TEXT) FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid \
JOIN pg_class r ON r.oid = f.confrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
WHERE n.nspname = current_schema() AND f.contype = 'f'";

/// How long each table is waited for.
pub(super) const HOLD_WAIT_ON_POSTGRES: &str = "SET LOCAL lock_timeout = '50ms'";
const HOLD_ATTEMPTS: usize = 50;

/// The tables of a world, each after those that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    dialect: Dialect,
    tables: Vec<Table>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    name: String,
    columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    is_bytes: bool,
}

/// Reads the catalogue. It changes with a migration only.
pub async fn read(conn: &mut Conn) -> Result<Tables, StoreError> {
    let (dialect, columns, references) = match conn.driver() {
        Driver::Sqlite(c) => {
            let columns = sqlite::fetch_all(c, COLUMNS_ON_SQLITE, &[], &sqlite::Order::new())?;
            (Dialect::Sqlite, columns, sqlite::fetch_all(c, REFERENCES_ON_SQLITE, &[], &sqlite::Order::new())?)
        }
        Driver::Postgres(c) => {
            let columns = sqlx::query_as(COLUMNS_ON_POSTGRES).fetch_all(&mut *c).await?;
            (Dialect::Postgres, columns, sqlx::query_as(REFERENCES_ON_POSTGRES).fetch_all(c).await?)
        }
    };
    let columns: Vec<(String, String, String)> = columns;
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (table, name, kind) in columns.into_iter().filter(|(table, ..)| !EXEMPT.contains(&table.as_str())) {
        tables.entry(table).or_default().push(Column { name, is_bytes: kind == "BLOB" });
    }
    Ok(Tables { dialect, tables: in_order(tables, &references)? })
}

fn in_order(
    mut tables: BTreeMap<String, Vec<Column>>,
    references: &[(String, String)],
) -> Result<Vec<Table>, StoreError> {
    let mut ordered = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits =
            |name: &String| references.iter().any(|(from, to)| from == name && to != name && tables.contains_key(to));
        let ready: BTreeSet<String> = tables.keys().filter(|name| !waits(name)).cloned().collect();
        if ready.is_empty() {
            return Err(StoreError::Internal("tables refer to each other in a circle".into()));
        }
        let next = ready.into_iter().filter_map(|name| tables.remove_entry(&name));
        ordered.extend(next.map(|(name, columns)| Table { name, columns }));
    }
    Ok(ordered)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Table {
    /// `$1` is the snapshot that the rows are copied into.
    fn copy(&self, dialect: Dialect) -> String {
        let (name, literal_name) = (quoted(&self.name), literal(&self.name));
        let content = match dialect {
            Dialect::Postgres => "CAST(to_jsonb(t) AS TEXT)".to_owned(),
            Dialect::Sqlite => {
                let member = |column: &Column| {
                    let value = quoted(&column.name);
                    // hex(NULL) is an empty text.
                    let value =
                        if column.is_bytes { format!("iif({value} IS NULL, NULL, hex({value}))") } else { value };
                    format!("{}, {value}", literal(&column.name))
                };
                format!("json_object({})", self.columns.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        };
        format!(
            "INSERT INTO snapshot_rows (snapshot, table_name, content) \
             SELECT CAST($1 AS TEXT), {literal_name}, {content} FROM {name} t"
        )
    }

    /// `$1` is the snapshot that the rows come from.
    fn restore(&self, dialect: Dialect) -> String {
        let (name, literal_name) = (quoted(&self.name), literal(&self.name));
        let rows = format!("WHERE s.snapshot = $1 AND s.table_name = {literal_name}");
        if dialect == Dialect::Postgres {
            return format!(
                "INSERT INTO {name} SELECT r.* FROM snapshot_rows s, \
                 json_populate_record(CAST(NULL AS {name}), CAST(s.content AS JSON)) r {rows}"
            );
        }
        let names = self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
        let value = |column: &Column| {
            let value = format!("s.content ->> {}", literal(&column.name));
            if column.is_bytes { format!("unhex({value})") } else { value }
        };
        let values = self.columns.iter().map(value).collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {name} ({names}) SELECT {values} FROM snapshot_rows s {rows}")
    }
}

impl Tables {
    /// Their names, each after those that it refers to.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Every statement that is made of them: for the test that prepares them.
    #[doc(hidden)]
    pub fn statements(&self) -> Vec<String> {
        let each = self.tables.iter();
        let of_each = each.flat_map(|t| [delete(&t.name), t.copy(self.dialect), t.restore(self.dialect)]);
        of_each.chain(self.lock()).collect()
    }

    fn lock(&self) -> Option<String> {
        let names = self.names().map(quoted).collect::<Vec<_>>().join(", ");
        (self.dialect == Dialect::Postgres).then(|| format!("LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
    }

    /// Holds off who would write until this transaction is over: on PostgreSQL a row could come into a table that was
    /// emptied, or copied, already. SQLite has one writer.
    pub async fn hold(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let Some(lock) = self.lock() else { return Ok(()) };
        let lock = [HOLD_WAIT_ON_POSTGRES, "SAVEPOINT hold", &lock].join("; ");
        // Who writes takes its tables in another order: it may hold one that we want, and want one that we hold. Then it
        // is we who let go, and soon: the database itself would look for a victim only after a second.
        for _ in 1..HOLD_ATTEMPTS {
            match at_once(conn, &lock).await {
                Err(StoreError::Unavailable(_) | StoreError::Again) => execute!(conn, "ROLLBACK TO SAVEPOINT hold")?,
                locked => return locked.map(|_| ()),
            };
        }
        at_once(conn, &lock).await.map(|_| ())
    }

    /// Deletes every row; answers how many that were.
    pub async fn empty(&self, conn: &mut Conn) -> Result<u64, StoreError> {
        let deletions = self.names().rev().map(delete);
        if self.dialect == Dialect::Postgres {
            return at_once(conn, &deletions.collect::<Vec<_>>().join("; ")).await;
        }
        let mut rows = 0;
        for deletion in deletions {
            rows += execute!(conn, AssertSqlSafe(deletion))?;
        }
        Ok(rows)
    }

    /// Copies every row into a snapshot; answers how many that were.
    pub async fn copy(&self, conn: &mut Conn, snapshot: &str) -> Result<u64, StoreError> {
        let mut rows = 0;
        for table in &self.tables {
            rows += execute!(conn, AssertSqlSafe(table.copy(self.dialect)), snapshot)?;
        }
        Ok(rows)
    }

    /// Puts the rows of a snapshot back into tables that are empty; answers how many that were.
    pub async fn restore(&self, conn: &mut Conn, snapshot: &str) -> Result<u64, StoreError> {
        let mut rows = 0;
        for table in &self.tables {
            rows += execute!(conn, AssertSqlSafe(table.restore(self.dialect)), snapshot)?;
        }
        Ok(rows)
    }
}

/// Several statements for PostgreSQL in one round trip; answers how many rows they touched.
async fn at_once(conn: &mut Conn, statements: &str) -> Result<u64, StoreError> {
    let Some(conn) = conn.postgres() else { return Err(StoreError::not_here("at_once")) };
    Ok(sqlx::raw_sql(AssertSqlSafe(statements)).execute(conn).await?.rows_affected())
}

fn delete(table: &str) -> String {
    format!("DELETE FROM {}", quoted(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(tables: &[&str], references: &[(&str, &str)]) -> Result<Vec<String>, StoreError> {
        let tables = tables.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        let references: Vec<_> = references.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        in_order(tables, &references).map(|tables| tables.into_iter().map(|table| table.name).collect())
    }

    #[test]
    fn a_table_comes_after_those_that_it_refers_to() {
        let references = [("a", "b"), ("b", "c"), ("d", "d"), ("c", "exempt")];
        assert_eq!(order(&["a", "b", "c", "d"], &references).unwrap(), ["c", "d", "b", "a"]);
        assert!(order(&["a", "b"], &[("a", "b"), ("b", "a")]).is_err());
    }

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!((quoted("a\"b").as_str(), literal("a'b").as_str()), ("\"a\"\"b\"", "'a''b'"));
    }
}
