// What the engine and a driver of Ray say to each other (docs/formats/ray.md): requests by number,
// their answers as they come.
//
//   VIAND_ASSIGN_OR_RETURN(auto connection, RayConnection::Open(options));
//   RayConnection::Answers answers(connection);
//   answers.Ask({{"fetch", table}}, nullptr);
//   VIAND_ASSIGN_OR_RETURN(Frame frame, answers.Next());
//
// Thread-safe. Lives as long as a table of it is named.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "src/distributed/frame_socket.h"
#include "src/distributed/ray_process.h"

namespace viand::distributed {

struct RayOptions {
  /// HOST:PORT of a cluster, "auto" for the one of this machine; empty: $RAY_ADDRESS, else a Ray of
  /// our own on this machine.
  std::string address;
  std::string python;  ///< that has viand and ray; empty: $VIAND_PYTHON, else python3
  /// Connects to a driver that is there and returns the socket, -1 where that fails, kNoDriver
  /// where there is none; null, or none: one is started.
  std::function<int()> driver;
  static constexpr int kNoDriver = -2;
  int tasks = 0;             ///< at a time; 0: as many as the cluster has CPUs
  int64_t memory_bytes = 0;  ///< for the tasks that run at a time; 0: what the cluster offers
  /// What this process may take itself; 0: no bound.
  int64_t own_memory_bytes = 0;
  std::string temporary_folder = "/tmp";  ///< for tables of this process that are large
  std::string version;                    ///< of viand: the driver and the nodes must have it
  /// Where tasks write results, absolute or an address. Asked for: every node must see it; else it
  /// is used where they all do.
  std::string storage_path;
  bool storage_asked_for = false;
};

/// What the cluster has.
struct RayCluster {
  int cpus = 1;
  int64_t memory_bytes = 0;       ///< for tasks; 0: unknown
  int64_t task_memory_bytes = 0;  ///< for one; 0: unknown
  bool shares_storage = false;    ///< every node sees the storage path
};

/// The error that an answer has.
arrow::Status RayErrorOf(const nlohmann::json& error);

class RayConnection {
 public:
  /// Starts the driver where there is none, and waits until Ray answers.
  static arrow::Result<std::shared_ptr<RayConnection>> Open(const RayOptions& options);

  /// Ends the driver, and with it a Ray that it started.
  ~RayConnection();
  RayConnection(const RayConnection&) = delete;
  RayConnection& operator=(const RayConnection&) = delete;

  const RayCluster& cluster() const { return cluster_; }

  /// Whether the driver, or what it said could not be understood, has ended the conversation.
  bool HasEnded() const;

  /// Asks the driver whether it still has the Ray that it found: a program may leave one and join
  /// another.
  bool IsCurrent();

  /// Numbers that nobody has had: of requests, of tables.
  int64_t NewNumbers(int64_t count);

  /// Lets a table go; told to the driver with the next request, or by and by.
  void Release(int64_t table);

  /// The requests of one caller and their answers. Not thread-safe.
  class Answers {
   public:
    explicit Answers(std::shared_ptr<RayConnection> connection);
    /// Answers that have not come are not waited for.
    ~Answers();
    Answers(const Answers&) = delete;
    Answers& operator=(const Answers&) = delete;

    /// Sends a request, whose number is `header`'s "id".
    arrow::Status Ask(const nlohmann::json& header, const arrow::Buffer* payload);
    /// Takes requests back; their answers are not heard.
    void Cancel(const std::vector<int64_t>& numbers);
    /// Waits for the next answer, or for what a task is "waiting" for; kCancelled on ctrl-C,
    /// kEnvironment where the driver ended.
    arrow::Result<Frame> Next();

   private:
    friend class RayConnection;
    const std::shared_ptr<RayConnection> connection_;
    std::deque<Frame> come_;        // guarded by the connection's mutex
    std::vector<int64_t> numbers_;  // of requests
  };

 private:
  RayConnection(int socket, std::unique_ptr<RayProcess> process);

  arrow::Status SayHello(const RayOptions& options);
  /// The answer to one request of its own.
  arrow::Result<Frame> AnswerTo(nlohmann::json request);
  void Listen();
  arrow::Status SendReleases();

  const std::unique_ptr<RayProcess> process_;
  FrameSocket socket_;
  RayCluster cluster_;

  mutable std::mutex mutex_;
  std::condition_variable come_;
  // Guarded by mutex_.
  std::unordered_map<int64_t, Answers*> waiting_;
  std::vector<int64_t> released_;
  int64_t next_number_ = 1;
  bool ended_ = false;
  arrow::Status broken_;

  std::thread listener_;
};

}  // namespace viand::distributed
