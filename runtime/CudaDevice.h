//===- CudaDevice.h - An optimizer's tables and kernels on a GPU ----------===//
//
// The host keeps the tables that Tables.cpp lays out, with addresses of the
// device in the rows: a mirror. Rows' heads and pointers, hypers and inputs are
// written there and sent; all other slots, the states and the lists are the
// device's own and are only fetched for people and files. Between two calls the
// mirror's heads and pointers are what the device has, or will have when its
// stream comes to it; where that failed `rowsMissing` says so.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_CUDADEVICE_H
#define UPDRAFT_RUNTIME_CUDADEVICE_H

#include "CudaRing.h"
#include "Optimizer.h"

namespace updraft::runtime {

class CudaDevice {
public:
  /// Opens the device of an optimizer that has no tables yet.
  static updraft_status open(Optimizer &optimizer);
  explicit CudaDevice(Optimizer &optimizer) : optimizer(optimizer) {}

  const CudaModule *code() const { return module.get(); }

  //===- CudaMemory.cpp ---------------------------------------------------===//

  /// Zeroed memory; `what` is for the text: "the states".
  updraft_status allocate(size_t bytes, const char *what, Block &result) const;

  /// Whether it is known that all of an array lies on this device.
  bool knows(const void *data, uint64_t bytes) const;
  /// Asks the driver where it is not known. `what` names the array.
  updraft_status checkPointer(const void *data, uint64_t bytes,
                              const std::string &what);

  /// Waits for all that the device has been given; fails during a capture.
  updraft_status settle() const;
  /// Between host and device, after settle(). What is written is there after
  /// another.
  updraft_status read(const void *from, void *to, uint64_t bytes) const;
  updraft_status write(void *to, const void *from, uint64_t bytes) const;

  //===- CudaTables.cpp ---------------------------------------------------===//

  /// Makes the tables on the device from those of the host and every kernel
  /// ready to be launched.
  updraft_status place();
  /// Sets the states.
  updraft_status init();

  /// Where the device has what is at `mirror` in the host's tables.
  char *addressOf(const void *mirror) const;

  //===- CudaStep.cpp -----------------------------------------------------===//

  /// One step; the gradients have been checked.
  updraft_status step(const updraft_ndarray *grads, CudaHandle stream);

  /// Sends slots of the mirror after what the last step's stream has been
  /// given. If that fails the caller sets them back: the next step sends them.
  updraft_status send(const std::vector<double *> &slots);
  /// The next step sends these: the mirror has been set back.
  void sendLater(const std::vector<double *> &slots) {
    slotsMissing.insert(slotsMissing.end(), slots.begin(), slots.end());
  }
  /// The stream that send() uses from now on.
  void setStream(CudaHandle given) { stream = given; }

  /// Pointers in the mirror's rows have changed: the next step sends them, or
  /// now if a graph may run before.
  updraft_status rowsChanged();

  /// Launches a kernel of tensor level or finer on one row or on all.
  updraft_status launchRows(const Kernel &kernel, const Table &table,
                            uint32_t row, bool everywhere, uint32_t round);
  /// Launches a kernel on all that there is.
  updraft_status launchAll(const Kernel &kernel, uint32_t round,
                           CudaHandle stream);

  /// Between these two all rows are active on the device and have the pointers
  /// that the mirror had at the first; a first that fails needs no second. That
  /// sends the rows as they are then and gives `status` or its own failure.
  updraft_status beginView();
  updraft_status endView(updraft_status status);

private:
  /// A kernel that is ready.
  struct Launch {
    CudaHandle function = nullptr; ///< null: within the launch before
    const updraft_kernel *kernel = nullptr;
    CudaAddress frame = 0;
    uint64_t count = 0;  ///< of all items
    uint32_t blocks = 0; ///< that the device holds at a time
  };
  struct Turned {
    const Launch *launch;
    uint32_t round;
  };
  /// A stretch of host memory that the device has a copy of.
  struct Mirror {
    const char *host;
    size_t bytes;
    size_t offset; ///< in `tables`
  };
  struct Change {
    uint32_t first = 0, end = 0;
  };
  /// Of a row.
  struct Part {
    size_t offset, bytes;
  };
  struct Given {
    void *grad;
    uint32_t active;
  };

  size_t layOut(const void *host, size_t bytes);
  void layOutTables();
  std::vector<updraft_frame> framesForDevice(size_t partials, size_t totals);
  updraft_status prepare();
  std::vector<Turned> flatten(const Schedule &schedule) const;
  updraft_status launch(const Launch &launch, uint64_t first, uint64_t count,
                        uint64_t round, CudaHandle stream) const;
  updraft_status launchSteps(CudaHandle stream) const;
  bool isCapturing(CudaHandle stream, updraft_status &status) const;
  updraft_status refuseCapture() const;
  updraft_status askWhere(const void *data, int &type, int &ordinal,
                          Range &range) const;

  bool findChanges(const updraft_ndarray *grads);
  void everythingChanges();
  void swapIn(const updraft_ndarray *grads);
  void swapBack();
  updraft_status sendPart(const Table &table, Change change, Part part,
                          char *&place, CudaHandle stream);
  updraft_status sendRows(bool capturing, CudaHandle stream);
  updraft_status sendOne(const double *value);
  updraft_status awaitNumbers(bool capturing, CudaHandle given);
  void takeActiveBack();

  Optimizer &optimizer;
  std::shared_ptr<CudaModule> module;
  Block tables; ///< on the device
  std::vector<Mirror> mirrors;
  size_t laidOut = 0;
  std::vector<Launch> launches; ///< by kernel of the program
  std::vector<Turned> steps;
  CudaRing rows, slots;
  CudaHandle stream = nullptr; ///< of the last step
  bool captured = false;       ///< a graph may run at any time
  bool rowsMissing = false;    ///< the device lacks what the mirror has
  std::vector<double *> slotsMissing;
  /// Of the last number that no step has come after; null: there is none.
  CudaHandle numberSent = nullptr, numberStream = nullptr;
  std::vector<Change> changes;              ///< by table
  std::vector<std::vector<Given>> replaced; ///< by table and row
  std::vector<uint32_t> activeBefore;       ///< a view
  static constexpr size_t kKnown = 64;
  std::vector<Range> known; ///< memory of this device, some of it
  size_t nextKnown = 0;
};

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_CUDADEVICE_H
