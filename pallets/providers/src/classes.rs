//! Classes of GPUs.

use crate::{Classes, Config, Error, Event, NextClass, Pallet};
use frame_support::{ensure, traits::Get};
use millrace_primitives::{AcceleratorKind, Balance, ClassId, GpuClass};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Creates a class and says so.
	pub(crate) fn do_create_class(details: GpuClass<Balance>) -> DispatchResult {
		Self::ensure_kind_allowed(&details)?;
		let class = Self::insert_class(&details)?;
		Self::deposit_event(Event::ClassCreated { class, details });
		Ok(())
	}

	/// Gives a class the next number.
	pub(crate) fn insert_class(details: &GpuClass<Balance>) -> Result<ClassId, DispatchError> {
		ensure!(is_name(&details.vendor) && is_name(&details.model), Error::<T>::BadClassName);
		let class = NextClass::<T>::get();
		let next = class.next().ok_or(Error::<T>::ClassesUsedUp)?;
		NextClass::<T>::put(next);
		Classes::<T>::insert(class, details);
		Ok(class)
	}

	/// A CPU must not pass for a GPU where people pay for one.
	pub(crate) fn ensure_kind_allowed(details: &GpuClass<Balance>) -> DispatchResult {
		match details.kind {
			AcceleratorKind::Reference => {
				ensure!(T::ReferenceClassesAllowed::get(), Error::<T>::ReferenceClassRefused)
			}
			AcceleratorKind::Cuda => {}
		}
		Ok(())
	}
}

/// Whether the bytes are a name that can be shown.
fn is_name(bytes: &[u8]) -> bool {
	core::str::from_utf8(bytes).is_ok_and(|name| !name.trim().is_empty())
}
