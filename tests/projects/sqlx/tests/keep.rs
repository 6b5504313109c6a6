use sqlx::PgPool;

#[tokio::test]
async fn notes_get_numbers() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL is set");
    let pool = PgPool::connect(&url).await.expect("PostgreSQL runs");
    let first = notes::keep(&pool, "one").await.expect("the table is there");
    let second = notes::keep(&pool, "two").await.expect("the table is there");
    assert!(second > first);
}
