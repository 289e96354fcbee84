//! The driver's state: contexts with their memory, modules and stream, and what is wrong with them. No foreign types here.

use crate::{
	config::{Config, Fault, FaultKind},
	escape::escapes,
	greed::{starts_threads, takes_memory},
	visible::{visible, Gpu},
};
use millrace_ptx::{
	launch, Argument, Budget, Entry, Fault as KernelFault, FaultKind as Kind, LaunchConfig, LaunchError,
	Memory, MemoryError, Module,
};
use std::{
	collections::BTreeMap,
	sync::{
		atomic::{AtomicU32, Ordering::SeqCst},
		Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
	},
	thread,
	time::Duration,
};

/// The driver's result codes that the double gives. Zero is success.
pub(crate) mod code {
	pub(crate) const INVALID_VALUE: u32 = 1;
	pub(crate) const OUT_OF_MEMORY: u32 = 2;
	pub(crate) const NOT_INITIALIZED: u32 = 3;
	pub(crate) const NO_DEVICE: u32 = 100;
	pub(crate) const INVALID_DEVICE: u32 = 101;
	pub(crate) const INVALID_IMAGE: u32 = 200;
	pub(crate) const INVALID_CONTEXT: u32 = 201;
	pub(crate) const NO_BINARY_FOR_GPU: u32 = 209;
	pub(crate) const INVALID_PTX: u32 = 218;
	pub(crate) const OPERATING_SYSTEM: u32 = 304;
	pub(crate) const INVALID_HANDLE: u32 = 400;
	pub(crate) const NOT_FOUND: u32 = 500;
	pub(crate) const NOT_READY: u32 = 600;
	pub(crate) const ILLEGAL_ADDRESS: u32 = 700;
	pub(crate) const MISALIGNED_ADDRESS: u32 = 716;
	pub(crate) const LAUNCH_FAILED: u32 = 719;
	/// No code of the driver's: a kernel has got out, or more than it should.
	pub(crate) const ESCAPED: u32 = 998;
	pub(crate) const UNKNOWN: u32 = 999;
}

/// What a compiled image begins with. It is no PTX, so that nothing else takes it for one.
const COMPILED: &str = "compiled by the Millrace CUDA test double\n";

/// What the driver answers: a value, or a code.
pub(crate) type Answer<T> = Result<T, u32>;

/// A handle as the double gives it out: never null, never given twice.
pub(crate) type Handle = u64;

/// The driver, once it is initialised.
pub(crate) struct Driver {
	pub(crate) config: Config,
	/// What this process is shown.
	pub(crate) gpus: Vec<Gpu>,
	contexts: Mutex<BTreeMap<Handle, Arc<Context>>>,
	next: AtomicU32,
	launches: AtomicU32,
	/// The code that every function returns from now on; zero while all is well.
	lost: AtomicU32,
}

static DRIVER: OnceLock<Result<Driver, String>> = OnceLock::new();

/// Initialises the driver, once.
pub(crate) fn init() -> Answer<()> {
	let made = DRIVER.get_or_init(|| {
		millrace_double::stay_loaded()?;
		let config: Config = millrace_double::orders()?;
		Ok(Driver {
			lost: AtomicU32::new(config.broken.unwrap_or(0)),
			gpus: visible(&config),
			config,
			contexts: Mutex::new(BTreeMap::new()),
			next: AtomicU32::new(1),
			launches: AtomicU32::new(0),
		})
	});
	let driver = made.as_ref().map_err(|problem| {
		// A wrong order must be seen by whoever gave it.
		eprintln!("CUDA double: {problem}");
		code::OPERATING_SYSTEM
	})?;
	driver.alive()?;
	if driver.gpus.is_empty() {
		return Err(code::NO_DEVICE);
	}
	Ok(())
}

/// The driver, if it was initialised and answers.
pub(crate) fn driver() -> Answer<&'static Driver> {
	let driver = DRIVER.get().and_then(|made| made.as_ref().ok()).ok_or(code::NOT_INITIALIZED)?;
	driver.alive()?;
	Ok(driver)
}

impl Driver {
	fn alive(&self) -> Answer<()> {
		match self.lost.load(SeqCst) {
			0 => Ok(()),
			code => Err(code),
		}
	}

	/// A number for a new handle, such that no two kinds of object share one.
	fn handle(&self) -> Handle {
		// Far from null and from small integers, which are mistakes of the caller's.
		0x0DD0_0000_0000 | u64::from(self.next.fetch_add(1, SeqCst)) << 4
	}

	/// The device of that ordinal.
	pub(crate) fn device(&self, ordinal: i32) -> Answer<&Gpu> {
		let found = usize::try_from(ordinal).ok().and_then(|ordinal| self.gpus.get(ordinal));
		found.ok_or(code::INVALID_DEVICE)
	}

	/// Makes a context on a device.
	pub(crate) fn create_context(&self, ordinal: i32) -> Answer<Handle> {
		let memory_bytes = self.device(ordinal)?.memory_bytes;
		let handle = self.handle();
		let context = Context {
			stream: self.handle(),
			state: Mutex::new(State {
				memory: Memory::new(memory_bytes),
				budget: Budget::new(self.config.steps),
				modules: BTreeMap::new(),
				functions: BTreeMap::new(),
				linkers: BTreeMap::new(),
				has_stream: false,
			}),
			pending: Mutex::new(Pending { launches: 0, sticky: 0 }),
			done: Condvar::new(),
		};
		lock(&self.contexts).insert(handle, Arc::new(context));
		Ok(handle)
	}

	/// A live context.
	pub(crate) fn context(&self, handle: Handle) -> Answer<Arc<Context>> {
		lock(&self.contexts).get(&handle).cloned().ok_or(code::INVALID_CONTEXT)
	}

	/// Ends a context, and frees all that is in it once its launches are over.
	pub(crate) fn destroy_context(&self, handle: Handle) -> Answer<()> {
		lock(&self.contexts).remove(&handle).map(|_| ()).ok_or(code::INVALID_CONTEXT)
	}

	/// Contexts that are not destroyed.
	pub(crate) fn live_contexts(&self) -> usize {
		lock(&self.contexts).len()
	}

	/// What is to go wrong with the next launch.
	fn next_fault(&self) -> Option<FaultKind> {
		let launch = self.launches.fetch_add(1, SeqCst) + 1;
		self.config.faults.iter().find(|fault: &&Fault| fault.launch == launch).map(|fault| fault.kind)
	}
}

/// A context: memory, modules, one stream.
pub(crate) struct Context {
	/// Handle of its only stream.
	pub(crate) stream: Handle,
	/// Held by a launch while it runs; copies wait for that, as those of the default stream do.
	state: Mutex<State>,
	pending: Mutex<Pending>,
	done: Condvar,
}

struct State {
	memory: Memory,
	budget: Budget,
	modules: BTreeMap<Handle, Arc<Module>>,
	/// Module and entry of each function.
	functions: BTreeMap<Handle, (Handle, String)>,
	linkers: BTreeMap<Handle, Linker>,
	has_stream: bool,
}

/// A linker: where the compiler's words go (an address and a length), and the image once it is given a text.
struct Linker {
	log: LogBuffer,
	image: Vec<u8>,
}

/// An address and a length in bytes.
pub(crate) type LogBuffer = (Handle, usize);

struct Pending {
	/// Launches that are not over.
	launches: u32,
	/// What a kernel did; all that is asked of the context from then on ends with it.
	sticky: u32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	// A launch that panicked would have been seen: its thread makes its context sticky.
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
	/// Refuses if a kernel broke the context.
	fn healthy(&self) -> Answer<()> {
		match lock(&self.pending).sticky {
			0 => Ok(()),
			code => Err(code),
		}
	}

	/// The state, once no launch is pending.
	fn idle(&self) -> Answer<MutexGuard<'_, State>> {
		let mut pending = lock(&self.pending);
		while pending.launches > 0 {
			pending = self.done.wait(pending).unwrap_or_else(PoisonError::into_inner);
		}
		drop(pending);
		self.healthy()?;
		Ok(lock(&self.state))
	}

	/// Makes the stream. There is one.
	pub(crate) fn create_stream(&self) -> Answer<Handle> {
		let mut state = self.idle()?;
		if std::mem::replace(&mut state.has_stream, true) {
			return Err(code::INVALID_VALUE);
		}
		Ok(self.stream)
	}

	/// Whether all launches are over; [`code::NOT_READY`] if not.
	pub(crate) fn query(&self, stream: Handle) -> Answer<()> {
		if stream != self.stream {
			return Err(code::INVALID_HANDLE);
		}
		let pending = lock(&self.pending);
		match (pending.launches, pending.sticky) {
			(0, 0) => Ok(()),
			(0, code) => Err(code),
			_ => Err(code::NOT_READY),
		}
	}

	/// Loads a text. `Err` has the compiler's words.
	pub(crate) fn load(&self, driver: &Driver, text: &str) -> Result<Handle, (u32, String)> {
		let mut state = self.idle().map_err(|code| (code, String::new()))?;
		let compiled = text.strip_prefix(COMPILED);
		if compiled.is_some() && driver.config.refuses_compiled {
			return Err((code::NO_BINARY_FOR_GPU, String::new()));
		}
		let module = match compiled {
			Some(text) => Module::parse(text).map_err(|_| (code::INVALID_IMAGE, String::new()))?,
			None => compile(driver, text)?,
		};
		let handle = driver.handle();
		state.modules.insert(handle, Arc::new(module));
		Ok(handle)
	}

	/// Makes a linker.
	pub(crate) fn create_linker(&self, driver: &Driver, log: LogBuffer) -> Answer<Handle> {
		let mut state = self.idle()?;
		let handle = driver.handle();
		state.linkers.insert(handle, Linker { log, image: Vec::new() });
		Ok(handle)
	}

	/// Compiles a text. `Err` has the compiler's words, and where they go.
	pub(crate) fn add_to_linker(
		&self,
		driver: &Driver,
		linker: Handle,
		text: &str,
	) -> Result<(), (u32, String, LogBuffer)> {
		let nowhere = |code| (code, String::new(), (0, 0));
		let mut state = self.idle().map_err(nowhere)?;
		let linker = state.linkers.get_mut(&linker).ok_or_else(|| nowhere(code::INVALID_HANDLE))?;
		thread::sleep(Duration::from_millis(driver.config.compile_ms));
		compile(driver, text).map_err(|(code, words)| (code, words, linker.log))?;
		linker.image = format!("{COMPILED}{text}\0").into_bytes();
		Ok(())
	}

	/// The image of a linker that was given a text: where it is, and its length. It stays there until the linker's end.
	pub(crate) fn complete_linker(&self, linker: Handle) -> Answer<(*const u8, usize)> {
		let state = self.idle()?;
		let Linker { image, .. } = state.linkers.get(&linker).ok_or(code::INVALID_HANDLE)?;
		if image.is_empty() {
			return Err(code::INVALID_VALUE);
		}
		Ok((image.as_ptr(), image.len()))
	}

	/// Ends a linker.
	pub(crate) fn destroy_linker(&self, linker: Handle) -> Answer<()> {
		self.idle()?.linkers.remove(&linker).map(|_| ()).ok_or(code::INVALID_HANDLE)
	}

	/// Unloads a module, with its functions.
	pub(crate) fn unload(&self, module: Handle) -> Answer<()> {
		let mut state = self.idle()?;
		state.modules.remove(&module).ok_or(code::INVALID_HANDLE)?;
		state.functions.retain(|_, (of, _)| *of != module);
		Ok(())
	}

	/// The entry of that name.
	pub(crate) fn function(&self, driver: &Driver, module: Handle, name: &str) -> Answer<Handle> {
		let mut state = self.idle()?;
		let parsed = state.modules.get(&module).ok_or(code::INVALID_HANDLE)?;
		parsed.entry(name).ok_or(code::NOT_FOUND)?;
		let handle = driver.handle();
		state.functions.insert(handle, (module, name.into()));
		Ok(handle)
	}

	/// Sizes of a function's parameters, in bytes.
	pub(crate) fn parameters(&self, function: Handle) -> Answer<Vec<u32>> {
		let state = self.idle()?;
		let (module, name) = state.functions.get(&function).ok_or(code::INVALID_HANDLE)?;
		let entry: &Entry =
			state.modules.get(module).and_then(|module| module.entry(name)).ok_or(code::INVALID_HANDLE)?;
		Ok(entry.params.iter().map(|parameter| parameter.bytes).collect())
	}

	/// Allocates memory.
	pub(crate) fn alloc(&self, bytes: u64) -> Answer<u64> {
		self.idle()?.memory.alloc(bytes).map_err(memory_code)
	}

	/// Fills memory with a byte.
	pub(crate) fn fill(&self, address: u64, byte: u8, bytes: usize) -> Answer<()> {
		self.idle()?.memory.write(address, &vec![byte; bytes]).map_err(memory_code)
	}

	/// Copies to the device.
	pub(crate) fn write(&self, address: u64, data: &[u8]) -> Answer<()> {
		self.idle()?.memory.write(address, data).map_err(memory_code)
	}

	/// Copies from the device.
	pub(crate) fn read(&self, address: u64, bytes: u64) -> Answer<Vec<u8>> {
		self.idle()?.memory.read(address, bytes).map_err(memory_code)
	}

	/// Starts a launch on a thread of its own, and does not wait for it.
	pub(crate) fn start(
		self: &Arc<Self>,
		driver: &'static Driver,
		function: Handle,
		config: LaunchConfig,
		arguments: Vec<Argument>,
	) -> Answer<()> {
		let (module, entry) = {
			let state = self.idle()?;
			let (module, name) = state.functions.get(&function).ok_or(code::INVALID_HANDLE)?;
			(state.modules.get(module).ok_or(code::INVALID_HANDLE)?.clone(), name.clone())
		};
		let shape = [config.grid, config.block].concat();
		let threads: u64 = config.block.iter().map(|size| u64::from(*size)).product();
		if shape.contains(&0) || threads > 1_024 {
			return Err(code::INVALID_VALUE);
		}
		let fault = driver.next_fault();
		if fault == Some(FaultKind::Lost) {
			driver.lost.store(code::UNKNOWN, SeqCst);
			return Err(code::UNKNOWN);
		}
		lock(&self.pending).launches += 1;
		let context = self.clone();
		let run = move || {
			thread::sleep(Duration::from_millis(driver.config.slow_ms));
			let sticky = match fault {
				Some(FaultKind::Hang) => hang(),
				Some(FaultKind::Sticky(code)) => code,
				Some(FaultKind::Escape) if !is_confined() => code::ESCAPED,
				Some(FaultKind::Neighbour) if driver.gpus.len() > 1 => code::ESCAPED,
				Some(FaultKind::TakeMemory(mebibytes)) if takes_memory(mebibytes) => code::ESCAPED,
				Some(FaultKind::StartThreads(count)) if starts_threads(count) => code::ESCAPED,
				_ => {
					let mut state = lock(&context.state);
					let State { memory, budget, .. } = &mut *state;
					launch(&module, &entry, &config, &arguments, memory, budget)
						.map_or_else(launch_code, |_| 0)
				}
			};
			let mut pending = lock(&context.pending);
			pending.launches -= 1;
			pending.sticky = if pending.sticky == 0 { sticky } else { pending.sticky };
			drop(pending);
			context.done.notify_all();
		};
		let thread = thread::Builder::new().name("cuda-double".into()).spawn(run);
		thread.map(|_| ()).map_err(|_| code::OPERATING_SYSTEM)
	}
}

/// Compiles a text, which for the double is to parse it. `Err` has the compiler's words.
fn compile(driver: &Driver, text: &str) -> Result<Module, (u32, String)> {
	if let Some(code) = driver.config.load_error {
		return Err((code, "ordered by the test".into()));
	}
	Module::parse(text).map_err(|error| (code::INVALID_PTX, error.to_string()))
}

/// Whether nothing outside of this process is in reach. What is, is said.
fn is_confined() -> bool {
	let found = escapes();
	if !found.is_empty() {
		eprintln!("CUDA double: in reach are {}", found.join(", "));
	}
	found.is_empty()
}

/// Never comes back, as a kernel that waits for something that never happens.
fn hang() -> u32 {
	loop {
		thread::sleep(Duration::from_secs(3_600));
	}
}

fn memory_code(error: MemoryError) -> u32 {
	match error {
		MemoryError::OutOfMemory { .. } | MemoryError::OutOfAddresses => code::OUT_OF_MEMORY,
		MemoryError::Empty | MemoryError::NotABuffer { .. } | MemoryError::OutOfBounds { .. } => {
			code::INVALID_VALUE
		}
	}
}

/// What a GPU would say of a launch that failed here. What only the interpreter minds, a GPU would do in silence; that is an
/// unspecified failure here.
fn launch_code(error: LaunchError) -> u32 {
	match error {
		LaunchError::Fault(KernelFault { kind: Kind::StepBudgetExhausted, .. }) => hang(),
		LaunchError::Fault(KernelFault { kind: Kind::OutOfBounds { .. }, .. }) => code::ILLEGAL_ADDRESS,
		LaunchError::Fault(KernelFault { kind: Kind::Misaligned { .. }, .. }) => code::MISALIGNED_ADDRESS,
		_ => code::LAUNCH_FAILED,
	}
}
