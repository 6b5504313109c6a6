//! Notes in PostgreSQL.

use sqlx::PgPool;

/// Keeps a note and returns its number.
///
/// # Errors
///
/// Fails where the database does.
pub async fn keep(pool: &PgPool, text: &str) -> sqlx::Result<i32> {
    let row = sqlx::query!("INSERT INTO notes (text) VALUES ($1) RETURNING id", text)
        .fetch_one(pool)
        .await?;
    Ok(row.id)
}
