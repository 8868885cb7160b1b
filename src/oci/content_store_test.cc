#include "oci/content_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "sys/crypto.h"
#include "sys/files.h"
#include "sys/like_everybody_else.h"

namespace windlass {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

Digest digest_of(std::string_view bytes) { return Digest::of_sha256_hex(sha256_hex(bytes)); }

class ContentStoreTest : public testing::Test {
 protected:
  ContentStoreTest() {
    auto name = (fs::temp_directory_path() / "windlass-store-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    open();
  }
  ~ContentStoreTest() override { fs::remove_all(folder); }

  void open(std::uint64_t bytes_max = 1 << 20) {
    store.reset();
    store = std::move(*ContentStore::open({.folder = folder, .bytes_max = bytes_max}));
  }
  Result<fs::path> put(const std::string& bytes) {
    return get(digest_of(bytes), bytes.size(), [&](std::uint64_t, const auto& write) { return write(bytes); });
  }
  Result<fs::path> get(const Digest& digest, std::uint64_t size, const ContentStore::Download& download,
                       const std::string& source = "r.example/app") {
    return store->get({digest, size, source}, download, Deadline::in(5s));
  }
  bool has_partials() const { return !fs::is_empty(folder / "partial"); }

  fs::path folder;
  std::unique_ptr<ContentStore> store;
};

TEST_F(ContentStoreTest, KeepsABlobUnderItsDigest) {
  const auto file = put("hello");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(*file, folder / "sha256" / sha256_hex("hello"));
  EXPECT_EQ(*read_file(*file, 100), "hello");
  EXPECT_EQ(store->find(digest_of("hello")), *file);
  EXPECT_EQ(store->find(digest_of("hello"), 5), *file);
  EXPECT_EQ(store->find(digest_of("hello"), 6), "");
  EXPECT_EQ(store->find(digest_of("other")), "");
  EXPECT_FALSE(has_partials());
}

// With no descriptor left nothing can be said of a blob, so it stays.
TEST_F(ContentStoreTest, KeepsABlobThatCannotBeReadNow) {
  const auto file = put("hello");
  ASSERT_TRUE(file);
  open();  // nothing is verified yet
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto unreadable = store->find(digest_of("hello"));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(unreadable, "");
  EXPECT_EQ(store->find(digest_of("hello")), *file);
}

// A torn blob is found by some while others have replaced it already.
TEST_F(ContentStoreTest, RemovesATornBlobButNotItsSuccessor) {
  const std::string bytes(4 << 20, 'x');
  const auto digest = digest_of(bytes);
  const auto path = folder / "sha256" / digest.hex();
  for (int round = 0; round < 5; ++round) {
    open();
    std::ofstream(path) << std::string(bytes.size(), 'y');
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i)
      threads.emplace_back([&, i] {
        std::this_thread::sleep_for(i * 3ms);
        EXPECT_TRUE(put(bytes));
      });
    threads.clear();
    ASSERT_TRUE(fs::exists(path));
    EXPECT_EQ(store->find(digest), path);
  }
}

TEST_F(ContentStoreTest, TellsThoseWhoWaitThatADownloadThrew) {
  std::atomic<bool> has_begun = false;
  std::jthread other([&] {
    while (!has_begun) std::this_thread::sleep_for(1ms);
    const auto told = put("hello");
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().kind, Kind::unavailable);
  });
  const auto thrown = get(digest_of("hello"), 5, [&](std::uint64_t, const auto&) -> Status {
    has_begun = true;
    std::this_thread::sleep_for(500ms);  // the other joins meanwhile
    throw std::bad_alloc();
  });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().kind, Kind::unavailable);
}

TEST_F(ContentStoreTest, KnowsSha512) {
  const auto digest = *Digest::parse("sha512:" + sha512_hex("hello"));
  ASSERT_TRUE(get(digest, 5, [](std::uint64_t, const auto& write) { return write("hello"); }));
  EXPECT_EQ(store->find(digest), folder / "sha512" / sha512_hex("hello"));
}

TEST_F(ContentStoreTest, DownloadsOnce) {
  ASSERT_TRUE(put("hello"));
  const auto again = get(digest_of("hello"), 5, [](std::uint64_t, const auto&) -> Status {
    ADD_FAILURE() << "was downloaded again";
    return {};
  });
  EXPECT_TRUE(again);
}

// reliability/F45, T11
TEST_F(ContentStoreTest, RefusesOtherBytesThanPromised) {
  const auto digest = digest_of("hello");
  const std::pair<const char*, std::string> rows[] = {
      {"hellO", "blob digest mismatch: expected " + digest.str()},
      {"hell", "blob " + digest.str() + " has 4 bytes, its descriptor says 5"},
      {"hello!", "blob " + digest.str() + " is larger than the 5 bytes its descriptor says"},
  };
  for (const auto& [bytes, message] : rows) {
    const auto file = get(digest, 5, [&](std::uint64_t, const auto& write) { return write(bytes); });
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind, Kind::invalid);
    EXPECT_EQ(file.error().message, message);
    EXPECT_EQ(store->find(digest), "");
    EXPECT_FALSE(has_partials());
  }
}

// reliability/F54
TEST_F(ContentStoreTest, ResumesACutDownloadFiveTimes) {
  const std::string bytes = "0123456";
  std::vector<std::uint64_t> offsets;
  const auto cut_after = [&](std::size_t pieces) {
    return [&, pieces](std::uint64_t offset, const auto& write) -> Status {
      offsets.push_back(offset);
      if (auto written = write(bytes.substr(offset, 1)); !written) return written;
      if (offset + 1 < pieces) return fail(Kind::unavailable, "connection reset");
      return write(bytes.substr(offset + 1));
    };
  };
  EXPECT_TRUE(get(digest_of(bytes), bytes.size(), cut_after(6)));
  EXPECT_EQ(offsets, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5}));
  fs::remove(folder / "sha256" / sha256_hex(bytes));
  const auto file = get(digest_of(bytes), bytes.size(), cut_after(7));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "cut 6 times: connection reset");
  EXPECT_FALSE(has_partials());
}

TEST_F(ContentStoreTest, DoesNotResumeWithoutProgressOrHope) {
  int calls = 0;
  for (const auto kind : {Kind::unavailable, Kind::denied}) {
    EXPECT_FALSE(get(digest_of("hello"), 5, [&](std::uint64_t, const auto&) -> Status {
      ++calls;
      return fail(kind, "no");
    }));
  }
  EXPECT_EQ(calls, 2);
}

TEST_F(ContentStoreTest, FindsTornBytesAfterAStart) {
  const auto file = *put("hello");
  std::ofstream(file) << "hell\0";
  std::ofstream(folder / "partial" / "left-over") << "x";
  open();
  EXPECT_EQ(store->find(digest_of("hello")), "");
  EXPECT_FALSE(fs::exists(file));
  EXPECT_FALSE(has_partials());
  ASSERT_TRUE(put("hello"));
  open();
  EXPECT_EQ(store->find(digest_of("hello")), file);
}

TEST_F(ContentStoreTest, SharesADownload) {
  std::atomic<int> downloads = 0, good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        good += get(digest_of("hello"), 5, [&](std::uint64_t, const auto& write) {
                  ++downloads;
                  std::this_thread::sleep_for(50ms);
                  return write("hello");
                }).has_value();
      });
  }
  EXPECT_EQ(downloads, 1);
  EXPECT_EQ(good, 8);
}

// An artifact may list another's layers, with whatever size, and have them come from a registry that never gets done.
TEST_F(ContentStoreTest, WaitsForNobodyElsesDownload) {
  const struct {
    std::uint64_t size;
    std::string source;
    bool is_good;
  } others[] = {{5, "drip.example/app", true}, {4, "drip.example/app", false}, {4, "r.example/app", false}};
  for (const auto& row : others) {
    SCOPED_TRACE(row.source);
    fs::remove(folder / "sha256" / sha256_hex("hello"));
    std::atomic<bool> has_begun = false, may_end = false;
    std::jthread other([&] {
      const auto dripped = get(
          digest_of("hello"), row.size,
          [&](std::uint64_t, const auto& write) -> Status {
            if (auto written = write("hel"); !written) return written;
            has_begun = true;
            while (!may_end) std::this_thread::sleep_for(1ms);
            return write("lo");
          },
          row.source);
      EXPECT_EQ(dripped.has_value(), row.is_good);
    });
    while (!has_begun) std::this_thread::sleep_for(1ms);
    std::vector<std::uint64_t> offsets;  // each goes on where its own bytes end
    const auto file = get(digest_of("hello"), 5, [&](std::uint64_t offset, const auto& write) -> Status {
      offsets.push_back(offset);
      if (offset > 0) return write("ello");
      if (auto written = write("h"); !written) return written;
      return fail(Kind::unavailable, "connection reset");
    });
    may_end = true;
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(offsets, (std::vector<std::uint64_t>{0, 1}));
    other.join();
    EXPECT_EQ(*read_file(*file, 100), "hello");
    EXPECT_FALSE(has_partials());
  }
}

TEST_F(ContentStoreTest, StoresWhatIsAtHandWhileOthersDownloadIt) {
  const auto digest = digest_of("hello");
  std::atomic<bool> has_begun = false, may_end = false;
  std::jthread other([&] {
    EXPECT_TRUE(get(digest, 5, [&](std::uint64_t, const auto& write) {
      has_begun = true;
      while (!may_end) std::this_thread::sleep_for(1ms);
      return write("hello");
    }));
  });
  while (!has_begun) std::this_thread::sleep_for(1ms);
  const auto refused = store->put(digest, 5, "hellO");
  const auto file = store->put(digest, 5, "hello");
  may_end = true;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "blob digest mismatch: expected " + digest.str());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(*read_file(*file, 100), "hello");
}

TEST_F(ContentStoreTest, TakesOverADownloadWhoseCallerRanOutOfTime) {
  std::atomic<bool> has_begun = false;
  std::jthread impatient([&] {
    EXPECT_FALSE(store->get(
        {digest_of("hello"), 5, "r.example/app"},
        [&](std::uint64_t, const auto&) -> Status {
          has_begun = true;
          std::this_thread::sleep_for(60ms);
          return fail(Kind::unavailable, "deadline passed");
        },
        Deadline::in(20ms)));
  });
  while (!has_begun) std::this_thread::yield();
  EXPECT_TRUE(put("hello"));
}

TEST_F(ContentStoreTest, ShrinksByLastUseAndKeepsWhatIsNeeded) {  // oci 9
  EXPECT_EQ(ContentStore::Options().bytes_max, 2ull << 30);
  open(25);
  const std::string blobs[] = {std::string(10, 'a'), std::string(10, 'b'), std::string(10, 'c'), std::string(10, 'd')};
  auto used = fs::file_time_type::clock::now() - 10h;
  for (const auto& blob : blobs) fs::last_write_time(*put(blob), used += 1h);
  EXPECT_NE(store->find(digest_of(blobs[1])), "");  // the second becomes the newest
  ASSERT_TRUE(store->shrink([&](const Digest& digest) { return digest == digest_of(blobs[0]); }));
  EXPECT_NE(store->find(digest_of(blobs[0])), "");
  EXPECT_NE(store->find(digest_of(blobs[1])), "");
  EXPECT_EQ(store->find(digest_of(blobs[2])), "");
  EXPECT_EQ(store->find(digest_of(blobs[3])), "");
}

TEST_F(ContentStoreTest, KeepsWhatAJobMayStillRead) {
  open(15);
  const std::string old(10, 'a'), fresh(10, 'b'), freshest(10, 'c');
  fs::last_write_time(*put(old), fs::file_time_type::clock::now() - 1h);
  ASSERT_TRUE(put(fresh) && put(freshest));
  ASSERT_TRUE(store->shrink([](const Digest&) { return false; }));
  EXPECT_EQ(store->find(digest_of(old)), "");
  EXPECT_NE(store->find(digest_of(fresh)), "");  // over the size with it
  EXPECT_NE(store->find(digest_of(freshest)), "");
}

// While it is asked which blobs must stay, a job gets one that had not been used for long.
TEST_F(ContentStoreTest, KeepsWhatAJobGetsWhileItShrinks) {
  open(0);
  const std::string first(10, 'a'), second(10, 'b'), third(10, 'c');
  auto used = fs::file_time_type::clock::now() - 10h;
  for (const auto& blob : {first, second, third}) fs::last_write_time(*put(blob), used += 1h);
  fs::path got;
  ASSERT_TRUE(store->shrink([&](const Digest& digest) {
    if (digest == digest_of(first)) got = store->find(digest_of(second));
    return false;
  }));
  ASSERT_NE(got, "");
  EXPECT_TRUE(fs::exists(got));
  EXPECT_EQ(store->find(digest_of(first)), "");
  EXPECT_EQ(store->find(digest_of(third)), "");
}

TEST_F(ContentStoreTest, RemovesWhatNobodyUsedForLong) {  // deploy/R18
  open(1000);
  const std::string kept(10, 'a'), old(10, 'b'), lately(10, 'c');
  const auto now = fs::file_time_type::clock::now();
  for (const auto& blob : {kept, old}) fs::last_write_time(*put(blob), now - 31 * 24h);
  fs::last_write_time(*put(lately), now - 29 * 24h);
  ASSERT_TRUE(store->shrink([&](const Digest& digest) { return digest == digest_of(kept); }));
  EXPECT_NE(store->find(digest_of(kept)), "");
  EXPECT_EQ(store->find(digest_of(old)), "");
  EXPECT_NE(store->find(digest_of(lately)), "");
}

TEST_F(ContentStoreTest, LooksForWhatMayGoOnlyAfterItGrewAndUntilItIsSmallEnough) {
  open(15);
  int asked = 0;
  bool is_kept = true;
  const auto shrink = [&] {
    return store->shrink([&](const Digest&) {
      ++asked;
      return is_kept;
    });
  };
  for (const auto c : {'a', 'b'}) fs::last_write_time(*put(std::string(10, c)), fs::file_time_type::clock::now() - 1h);
  ASSERT_TRUE(shrink());
  EXPECT_EQ(asked, 2);
  is_kept = false;
  ::chmod((folder / "sha256").c_str(), 0);
  {
    const LikeEverybodyElse reader;
    EXPECT_FALSE(shrink()) << "what cannot be seen is not small enough";
  }
  ::chmod((folder / "sha256").c_str(), 0700);
  ASSERT_TRUE(shrink());
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "sha256"), {}), 1);
  fs::remove_all(folder / "sha256");
  std::ofstream(folder / "sha256") << "no folder";
  EXPECT_TRUE(shrink()) << "nothing came since";
}

}  // namespace
}  // namespace windlass
