use chrono_tz::Tz;
use records::{Actor, Clock, Settings, Store, demo, run};
use sea_orm::{ConnectionTrait, Statement};
use std::time::{Duration, Instant};
#[tokio::main]
async fn main() {
    let a: Vec<String> = std::env::args().collect();
    let url = &a[2];
    let folder = std::path::Path::new("/tmp/measure-folder");
    std::fs::create_dir_all(folder).unwrap();
    let clock = Clock::fixed(Tz::Europe__London, "2018-01-21".parse().unwrap());
    let store = Store::open(url, clock, Settings::in_folder(folder)).await.unwrap();
    if a[1] == "fill" {
        let t = Instant::now();
        let s = demo::fill(&store, Actor::COMMAND_LINE, a[3].parse().unwrap(), 1).await.unwrap();
        println!("{s:?} {:?}", t.elapsed());
        return;
    }
    // run TASK
    let task = policy::TaskId(a[3].parse().unwrap());
    let t = Instant::now();
    let id = run::preview(&store, Actor::DESK, task).await.unwrap();
    let p = run::read(&store, id).await.unwrap();
    println!("preview {} of {} {:?}", p.previewed, p.users, t.elapsed());
    let started = run::start(&store, Actor::DESK, id, &p.previewed.to_string()).await.unwrap();
    let db = store.database().clone();
    tokio::spawn(async move {
        let mut last = String::new();
        let t = Instant::now();
        loop {
            let s = Statement::from_string(db.get_database_backend(), format!("SELECT COALESCE(phase, state) AS p FROM runs WHERE id = {started}"));
            if let Ok(Some(r)) = db.query_one_raw(s).await {
                let p: String = r.try_get("", "p").unwrap();
                if p != last { println!("{:?} {p} rss {}", t.elapsed(), rss()); last = p; }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let t = Instant::now();
    let state = run::carry_out(&store, started).await.unwrap();
    println!("carry_out {state:?} {:?} rss {}", t.elapsed(), rss());
    let r = run::read(&store, started).await.unwrap();
    println!("{:?} {:?}", r.residue, r.tables);
    let s = Statement::from_string(store.database().get_database_backend(), format!("SELECT table_name || '.' || column_name || ' ' || what AS w, COUNT(*) AS n, MIN(user_number || ' ' || row_key) AS e FROM residue_hits WHERE run_id = {started} GROUP BY 1 ORDER BY 2 DESC"));
    for r in store.database().query_all_raw(s).await.unwrap() {
        println!("{} {} {}", r.try_get::<String>("", "w").unwrap(), r.try_get::<i64>("", "n").unwrap(), r.try_get::<String>("", "e").unwrap());
    }
}
fn rss() -> String {
    std::fs::read_to_string("/proc/self/status").unwrap().lines().filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM")).map(|l| l.split_whitespace().nth(1).unwrap().to_owned()).collect::<Vec<_>>().join("/")
}
