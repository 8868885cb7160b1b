#include "sys/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace windlass {
namespace {

namespace fs = std::filesystem;

class DbTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sqlite_test.XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = folder_ / "state.db";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::unique_ptr<Db> open() {
    auto db = Db::open(file_);
    EXPECT_TRUE(db) << db.error().message;
    return std::move(*db);
  }
  static std::int64_t count(Db& db) {
    auto query = db.query("SELECT count(*) FROM t");
    EXPECT_TRUE(query.step().value_or(false));
    return query.number(0);
  }
  fs::path folder_, file_;
};

TEST_F(DbTest, GivesBackWhatWasBound) {
  auto db = open();
  ASSERT_TRUE(db->execute("CREATE TABLE t (a, b, c, d, e)"));
  ASSERT_TRUE(db->query("INSERT INTO t VALUES (?, ?, ?, ?, ?)")
                  .bind("")
                  .bind(std::string("a\0b", 3))
                  .bind(-5)
                  .bind_null()
                  .bind(std::optional<std::int64_t>(7))
                  .run());
  EXPECT_EQ(db->changes(), 1);
  auto query = db->query("SELECT a, b, c, d, e FROM t");
  ASSERT_TRUE(query.step().value());
  EXPECT_FALSE(query.is_null(0));
  EXPECT_EQ(query.text(0), "");
  EXPECT_EQ(query.text(1), std::string("a\0b", 3));
  EXPECT_EQ(query.number(2), -5);
  EXPECT_TRUE(query.is_null(3));
  EXPECT_EQ(query.text(3), "");
  EXPECT_EQ(query.number_if(3), std::nullopt);
  EXPECT_EQ(query.number_if(4), 7);
  EXPECT_FALSE(query.step().value());
}

TEST_F(DbTest, UsesOneStatementTwiceAtOnce) {
  auto db = open();
  ASSERT_TRUE(db->execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)"));
  auto outer = db->query("SELECT a FROM t");
  ASSERT_TRUE(outer.step().value());
  {
    auto inner = db->query("SELECT a FROM t");
    ASSERT_TRUE(inner.step().value());
    EXPECT_EQ(inner.number(0), 1);
  }
  ASSERT_TRUE(outer.step().value());
  EXPECT_EQ(outer.number(0), 2);
}

TEST_F(DbTest, GivesTextsOfTheFirstColumn) {
  auto db = open();
  ASSERT_TRUE(db->execute("CREATE TABLE t (a); INSERT INTO t VALUES ('one'), ('two')"));
  EXPECT_EQ(db->query("SELECT a FROM t ORDER BY a").first_text().value(), "one");
  EXPECT_EQ(db->query("SELECT a FROM t WHERE a = 'x'").first_text().value(), std::nullopt);
  EXPECT_EQ(db->query("SELECT a FROM t ORDER BY a").all_texts().value(), (std::vector<std::string>{"one", "two"}));
}

TEST_F(DbTest, RollsBackWhatWasNotCommitted) {
  auto db = open();
  ASSERT_TRUE(db->execute("CREATE TABLE t (a)"));
  {
    auto transaction = Transaction::begin(*db);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(db->query("INSERT INTO t VALUES (1)").run());
  }
  EXPECT_EQ(count(*db), 0);
  auto transaction = Transaction::begin(*db);
  ASSERT_TRUE(db->query("INSERT INTO t VALUES (1)").run());
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(count(*open()), 1);
}

TEST_F(DbTest, LeavesTheFlushOutOfOneTransactionOnly) {
  auto db = open();
  ASSERT_TRUE(db->execute("CREATE TABLE t (a)"));
  const auto synchronous = [&] {
    auto query = db->query("PRAGMA synchronous");
    return query.step().value() ? query.number(0) : -1;
  };
  {
    auto transaction = Transaction::begin(*db, Flush::no);
    ASSERT_TRUE(transaction);
    EXPECT_EQ(synchronous(), 1);
    ASSERT_TRUE(db->query("INSERT INTO t VALUES (1)").run());
    ASSERT_TRUE(transaction->commit());
    EXPECT_EQ(synchronous(), 2);
  }
  { const auto undone = Transaction::begin(*db, Flush::no); }
  EXPECT_EQ(synchronous(), 2);
  auto other = open();
  const auto held = Transaction::begin(*other);
  ASSERT_TRUE(db->execute("PRAGMA busy_timeout = 1"));
  EXPECT_FALSE(Transaction::begin(*db, Flush::no)) << "another connection writes";
  EXPECT_EQ(synchronous(), 2);
  EXPECT_EQ(count(*open()), 1);
}

TEST_F(DbTest, KeepsItsFilesPrivateWhateverTheUmask) {
  const auto umask_before = ::umask(0);
  auto db = open();
  ASSERT_TRUE(db->execute("CREATE TABLE t (a)"));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((file_.string() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
  }
  ::umask(umask_before);
}

TEST_F(DbTest, IsDurableAndSmall) {
  auto db = open();
  const std::pair<const char*, const char*> settings[] = {
      {"PRAGMA journal_mode", "wal"}, {"PRAGMA synchronous", "2"},   {"PRAGMA foreign_keys", "1"},
      {"PRAGMA mmap_size", "0"},      {"PRAGMA cache_size", "-512"}, {"PRAGMA busy_timeout", "5000"},
  };
  for (const auto& [pragma, value] : settings) {
    auto query = db->query(pragma);
    ASSERT_TRUE(query.step().value()) << pragma;
    EXPECT_EQ(query.text(0), value) << pragma;
  }
}

TEST_F(DbTest, NamesAFileThatIsNoDatabase) {
  std::ofstream(file_) << std::string(8192, 'x');
  const auto db = Db::open(file_);
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().kind, Kind::internal);
  EXPECT_EQ(db.error().message, "opening: " + file_.string() + ": file is not a database");
}

TEST_F(DbTest, SaysThatAFolderIsMissing) {
  const auto db = Db::open(folder_ / "no" / "state.db");
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().kind, Kind::unavailable);
  EXPECT_EQ(db.error().message, "opening " + (folder_ / "no" / "state.db").string() + ": No such file or directory");
}

TEST_F(DbTest, TellsABrokenRuleAsAConflict) {
  auto db = open();
  ASSERT_TRUE(db->execute("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)"));
  const auto again = db->query("INSERT INTO t VALUES (1)").run();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, Kind::conflict);
  EXPECT_EQ(again.error().message, file_.string() + ": UNIQUE constraint failed: t.a");
}

TEST_F(DbTest, FindsDamage) {
  {
    auto db = open();
    ASSERT_TRUE(db->execute("CREATE TABLE t (a); CREATE INDEX i ON t (a)"));
    auto transaction = Transaction::begin(*db);
    for (int i = 0; i < 2000; ++i)
      ASSERT_TRUE(db->query("INSERT INTO t VALUES (?)").bind("row " + std::to_string(i)).run());
    ASSERT_TRUE(transaction->commit());
    EXPECT_TRUE(db->check());
  }
  std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 4);
  file << std::string(4096, '\xff');
  file.close();
  const auto checked = open()->check();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, Kind::internal);
  EXPECT_TRUE(checked.error().message.starts_with(file_.string() + ": ")) << checked.error().message;
}

}  // namespace
}  // namespace windlass
